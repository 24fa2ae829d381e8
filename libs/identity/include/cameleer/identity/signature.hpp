#pragma once
#include <string>
#include <string_view>

/// Ed25519 over texts. Each use signs under a prefix of its own, so that no signature serves another. Any thread.
namespace cameleer::identity {

/// base64url of the signature; `seed`: 32 bytes.
std::string sign_text(std::string_view seed, std::string_view text);
/// The public half as others get it: SubjectPublicKeyInfo, base64.
std::string public_key_of(std::string_view seed);
/// False as well when the key or the signature is none.
bool signed_by(std::string_view public_key, std::string_view text, std::string_view signature);

}  // namespace cameleer::identity
