#include <cameleer/identity/command_signature.hpp>
#include <cameleer/identity/encoding.hpp>
#include <cameleer/identity/signature.hpp>

namespace cameleer::identity {
namespace {

constexpr std::string_view kPrefix = "cameleer-command-v1.";

std::unexpected<Error> not_ours() {
  return fail(ErrorCode::invalid_token, "The command was not signed by this key.");
}

}  // namespace

SignedCommand sign_command(const DerivedKey& key, std::string_view envelope_json) {
  SignedCommand command{.payload = base64url(envelope_json), .signature = {}, .key_id = key.id};
  command.signature = sign_text(key.bytes, std::string(kPrefix) + command.payload);
  return command;
}

Expected<std::string> verify_command(const SignedCommand& command, std::string_view public_key) {
  if (!signed_by(public_key, std::string(kPrefix) + command.payload, command.signature)) return not_ours();
  auto envelope = decode_base64url(command.payload);
  if (!envelope) return not_ours();
  return std::move(*envelope);
}

}  // namespace cameleer::identity
