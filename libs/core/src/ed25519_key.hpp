#pragma once
#include <array>
#include <string_view>

namespace cameleer {

/// Why the 32 bytes are no public key worth trusting, as in "must …"; empty when they are one. OpenSSL takes any bytes
/// as a key: one of small order would let a signature hold for messages that nobody signed, and a second spelling of a
/// key would pass for another key.
std::string_view fault_of_ed25519_key(const std::array<unsigned char, 32>& bytes);

}  // namespace cameleer
