#pragma once
#include <cameleer/core/base64.hpp>
#include <cameleer/core/instant.hpp>
#include <optional>
#include <string>
#include <string_view>

/// Encodings, digests and random identifiers of credentials. Pure functions, any thread.
namespace cameleer::identity {

using cameleer::base64;
using cameleer::base64url;
using cameleer::decode_base64;
using cameleer::decode_base64url;

/// 32 bytes.
std::string sha256(std::string_view bytes);
/// 64 lower-case hexadecimal characters: how secrets that are random already are kept at rest.
std::string sha256_hex(std::string_view bytes);

/// Compares in a time that depends on the lengths only.
bool equal_in_constant_time(std::string_view left, std::string_view right);

/// OpenSSL's generator. A failing generator is a broken machine: throws.
Random system_random();
std::string random_bytes(const Random& random, std::size_t count);
/// UUID, version 4.
std::string random_uuid(const Random& random);
/// 256 bits as base64url, 43 characters.
std::string random_token(const Random& random);
bool is_uuid(std::string_view text);

/// The API key of an environment: `cmk_` and 256 bits as base64url. Shown once; kept as `sha256_hex`.
struct ApiKeySecret {
  std::string secret;
  std::string hash;    ///< sha256_hex(secret)
  std::string prefix;  ///< first 12 characters, for people to recognise it by
};
ApiKeySecret make_api_key(const Random& random);

}  // namespace cameleer::identity
