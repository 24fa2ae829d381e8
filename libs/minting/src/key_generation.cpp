#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cameleer/minting/key_generation.hpp>
#include <stdexcept>

#include "ed25519.hpp"
#include "secret_base64.hpp"

namespace cameleer::minting {
namespace {

/// The DER of RFC 8410 up to the key itself, which is always of one length.
constexpr std::array<unsigned char, 16> kPkcs8Prefix = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                                        0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};

/// 48 bytes are 64 characters: one line of PEM.
SecretBytes pem_of(const SecretBytes& seed) {
  constexpr std::string_view kBegin = "-----BEGIN PRIVATE KEY-----\n";
  constexpr std::string_view kEnd = "\n-----END PRIVATE KEY-----\n";
  SecretBytes der(kPkcs8Prefix.size() + seed.size());
  std::ranges::copy(seed.bytes(), std::ranges::copy(kPkcs8Prefix, der.data()).out);
  const auto line = encode_secret_base64(der);
  SecretBytes pem(kBegin.size() + line.size() + kEnd.size());
  auto* at = std::ranges::copy(kBegin, pem.data()).out;
  at = std::ranges::copy(line.bytes(), at).out;
  std::ranges::copy(kEnd, at);
  return pem;
}

}  // namespace

GeneratedKey generate_key() {
  SecretBytes seed(seed_bytes);
  if (RAND_priv_bytes(seed.data(), static_cast<int>(seed.size())) != 1) {
    throw std::runtime_error("the random generator failed");
  }
  return {.private_pem = pem_of(seed), .public_key = public_key_of(seed)};
}

}  // namespace cameleer::minting
