#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <cameleer/identity/encoding.hpp>
#include <stdexcept>

namespace cameleer::identity {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

std::string hex(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    text += kHex[static_cast<unsigned char>(byte) >> 4];
    text += kHex[static_cast<unsigned char>(byte) & 15];
  }
  return text;
}

}  // namespace

std::string sha256(std::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

std::string sha256_hex(std::string_view bytes) {
  return hex(sha256(bytes));
}

bool equal_in_constant_time(std::string_view left, std::string_view right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

Random system_random() {
  return [](std::span<std::byte> bytes) {
    if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) != 1) {
      throw std::runtime_error("the random generator failed");
    }
  };
}

std::string random_bytes(const Random& random, std::size_t count) {
  std::string bytes(count, '\0');
  random(std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

std::string random_uuid(const Random& random) {
  auto bytes = random_bytes(random, 16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  auto text = hex(bytes);
  for (const std::size_t at : {8u, 13u, 18u, 23u}) text.insert(at, 1, '-');
  return text;
}

std::string random_token(const Random& random) {
  return base64url(random_bytes(random, 32));
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : kHex.find(text[i]) == std::string_view::npos) return false;
  }
  return true;
}

ApiKeySecret make_api_key(const Random& random) {
  ApiKeySecret key;
  key.secret = "cmk_" + random_token(random);
  key.hash = sha256_hex(key.secret);
  key.prefix = key.secret.substr(0, 12);
  return key;
}

}  // namespace cameleer::identity
