#pragma once
#include <cameleer/core/error.hpp>
#include <cameleer/identity/keys.hpp>
#include <string>
#include <string_view>

namespace cameleer::identity {

/// A command as it goes to an agent. What is signed are bytes, so that no two sides need the same JSON writer.
struct SignedCommand {
  std::string payload;    ///< base64url of the envelope's JSON
  std::string signature;  ///< base64url of Ed25519 over `cameleer-command-v1.` and the payload's text
  std::string key_id;     ///< id of the key that signed
};

/// `key`: `Keys::command_signing()`. Any thread.
SignedCommand sign_command(const DerivedKey& key, std::string_view envelope_json);

/// The envelope's JSON, when the signature is that of the public key (SubjectPublicKeyInfo, base64: what agents get as
/// `serverPublicKey`); `invalid_token` otherwise. The id of the key is the caller's to compare.
Expected<std::string> verify_command(const SignedCommand& command, std::string_view public_key);

}  // namespace cameleer::identity
