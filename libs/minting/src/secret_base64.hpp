#pragma once
#include <optional>
#include <span>

#include "cameleer/minting/secret_bytes.hpp"

namespace cameleer::minting {

/// Base64 (RFC 4648 section 4, padded) of secrets: no copy is left behind, where the core library's functions would.
SecretBytes encode_secret_base64(const SecretBytes& bytes);
/// Takes the one text that encodes the result, or nothing.
std::optional<SecretBytes> decode_secret_base64(std::span<const unsigned char> text);

}  // namespace cameleer::minting
