#include "secret_base64.hpp"

#include <openssl/evp.h>

#include <algorithm>

namespace cameleer::minting {
namespace {

std::size_t padding_of(std::span<const unsigned char> text) {
  std::size_t padding = 0;
  while (padding < 2 && text[text.size() - 1 - padding] == '=') ++padding;
  return padding;
}

}  // namespace

SecretBytes encode_secret_base64(const SecretBytes& bytes) {
  // EVP_EncodeBlock ends with a NUL.
  SecretBytes text((bytes.size() + 2) / 3 * 4 + 1);
  EVP_EncodeBlock(text.data(), bytes.data(), static_cast<int>(bytes.size()));
  text.shrink(text.size() - 1);
  return text;
}

std::optional<SecretBytes> decode_secret_base64(std::span<const unsigned char> text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  SecretBytes bytes(text.size() / 4 * 3);
  if (EVP_DecodeBlock(bytes.data(), text.data(), static_cast<int>(text.size())) != static_cast<int>(bytes.size())) {
    return std::nullopt;
  }
  bytes.shrink(bytes.size() - padding_of(text));
  // EVP_DecodeBlock overlooks white space, and bits of the last character that do not count.
  const auto again = encode_secret_base64(bytes);
  if (!std::ranges::equal(text, again.bytes())) return std::nullopt;
  return bytes;
}

}  // namespace cameleer::minting
