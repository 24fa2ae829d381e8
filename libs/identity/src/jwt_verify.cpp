#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cameleer/identity/encoding.hpp>
#include <cameleer/identity/jwt.hpp>

#include "token_reader.hpp"

namespace cameleer::identity {
namespace {

using enum TokenRejection;
namespace dom = simdjson::dom;

constexpr std::size_t kMaxDepth = 8;

std::expected<const DerivedKey*, TokenRejection> key_of(const Keys& keys, const TokenParts& parts) {
  const auto header = TokenObject::decode(parts.header, kMaxDepth);
  if (!header) return std::unexpected(bad_shape);
  bool ok = true;
  if (header->text("alg", ok) != "HS256" || !ok) return std::unexpected(bad_algorithm);
  if (header->find("typ") && (header->text("typ", ok) != "JWT" || !ok)) return std::unexpected(bad_type);
  // No extension is understood here, so every `crit` is unknown (RFC 7515, 4.1.11).
  if (header->find("crit")) return std::unexpected(bad_type);
  const auto id = header->text("kid", ok);
  if (!ok) return std::unexpected(unknown_key);
  const auto* key = keys.jwt_by_id(id);
  if (key == nullptr) return std::unexpected(unknown_key);
  return key;
}

bool signature_holds(const DerivedKey& key, const TokenParts& parts) {
  const auto presented = decode_base64url(parts.signature);
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  if (HMAC(EVP_sha256(), key.bytes.data(), static_cast<int>(key.bytes.size()),
           reinterpret_cast<const unsigned char*>(parts.signed_text.data()), parts.signed_text.size(), mac,
           &length) == nullptr) {
    return false;
  }
  return presented && equal_in_constant_time(*presented, {reinterpret_cast<const char*>(mac), length});
}

bool read_roles(const TokenObject& payload, std::vector<std::string>& roles) {
  const auto element = payload.find("roles");
  if (!element) return true;
  dom::array array;
  if (element->get(array) != simdjson::SUCCESS) return false;
  for (const auto item : array) {
    std::string_view role;
    if (item.get(role) != simdjson::SUCCESS) return false;
    roles.emplace_back(role);
  }
  return true;
}

std::expected<Claims, TokenRejection> read_claims(const TokenObject& payload, const Expectations& expected,
                                                  Instant now) {
  bool ok = true;
  Claims claims{.issuer = payload.text("iss", ok),
                .audience = payload.text("aud", ok),
                .subject = payload.text("sub", ok),
                .token_id = payload.text("jti", ok),
                .family = payload.text("sid", ok),
                .application = payload.text("group", ok),
                .environment = payload.text("env", ok),
                .key_ref = payload.text("keyRef", ok),
                .roles = {}};
  const auto type = payload.text("type", ok);
  const auto issued_at = payload.instant("iat", ok);
  const auto expires_at = payload.instant("exp", ok);
  const auto not_before = payload.instant("nbf", ok);
  if (!ok || !read_roles(payload, claims.roles) || !expires_at || !issued_at || claims.subject.empty()) {
    return std::unexpected(bad_claims);
  }
  if (type != name_of(TokenType::access) && type != name_of(TokenType::refresh)) return std::unexpected(bad_claims);
  claims.type = type == name_of(TokenType::access) ? TokenType::access : TokenType::refresh;
  claims.issued_at = *issued_at;
  claims.expires_at = *expires_at;
  if (claims.issuer != expected.issuer) return std::unexpected(foreign_issuer);
  if (std::ranges::find(expected.audiences, claims.audience) == expected.audiences.end()) {
    return std::unexpected(foreign_audience);
  }
  if (now >= claims.expires_at) return std::unexpected(expired);
  if (claims.issued_at > now + expected.leeway) return std::unexpected(not_yet_valid);
  if (not_before && *not_before > now + expected.leeway) return std::unexpected(not_yet_valid);
  return claims;
}

}  // namespace

std::string_view name_of(TokenType type) {
  return type == TokenType::access ? "access" : "refresh";
}

std::string_view name_of(TokenRejection rejection) {
  switch (rejection) {
    case too_long:
      return "too_long";
    case bad_character:
      return "bad_character";
    case bad_shape:
      return "bad_shape";
    case bad_algorithm:
      return "bad_algorithm";
    case bad_type:
      return "bad_type";
    case unknown_key:
      return "unknown_key";
    case bad_signature:
      return "bad_signature";
    case bad_claims:
      return "bad_claims";
    case foreign_issuer:
      return "foreign_issuer";
    case foreign_audience:
      return "foreign_audience";
    case expired:
      return "expired";
    case not_yet_valid:
      return "not_yet_valid";
    case ambiguous_key:
      return "ambiguous_key";
    case id_token:
      return "id_token";
    case foreign_tenant:
      return "foreign_tenant";
    case bad_nonce:
      return "bad_nonce";
  }
  return "bad_shape";
}

std::expected<Claims, TokenRejection> verify(const Keys& keys, std::string_view token, const Expectations& expected,
                                             Instant now, SignatureCache* known) {
  const auto parts = split_token(token, kMaxTokenBytes);
  if (!parts) return std::unexpected(parts.error());
  const auto key = key_of(keys, *parts);
  if (!key) return std::unexpected(key.error());
  const auto check = [&] { return signature_holds(**key, *parts); };
  if (!(known != nullptr ? known->holds(token, now, check) : check())) return std::unexpected(bad_signature);
  const auto payload = TokenObject::decode(parts->payload, kMaxDepth);
  if (!payload) return std::unexpected(bad_claims);
  return read_claims(*payload, expected, now);
}

Error error_of(TokenRejection rejection) {
  switch (rejection) {
    case expired:
      return {ErrorCode::invalid_token, "The token has expired."};
    case not_yet_valid:
      return {ErrorCode::invalid_token, "The token is not valid yet."};
    case too_long:
      return {ErrorCode::invalid_token, "The token is longer than 8 KiB."};
    case bad_character:
    case bad_shape:
      return {ErrorCode::invalid_token, "The token is malformed."};
    default:
      return {ErrorCode::invalid_token, "The token was not issued for this."};
  }
}

}  // namespace cameleer::identity
