#include <algorithm>
#include <cameleer/identity/encoding.hpp>
#include <cameleer/identity/provider_token.hpp>

#include "token_reader.hpp"

namespace cameleer::identity {
namespace {

using enum TokenRejection;
namespace dom = simdjson::dom;
using Use = ProviderExpectations::Use;

constexpr std::size_t kMaxDepth = 32;

std::string lower_case(std::string text) {
  for (auto& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return text;
}

bool is_expected_type(const TokenObject& header, Use use) {
  if (!header.find("typ")) return true;
  bool ok = true;
  auto type = lower_case(header.text("typ", ok));
  constexpr std::string_view kMedia = "application/";
  if (type.starts_with(kMedia)) type.erase(0, kMedia.size());
  return ok && (type == "jwt" || (use == Use::access && type == "at+jwt"));
}

/// What remembers signatures, and by what.
struct Memory {
  SignatureCache* known;
  std::string_view token;
  Instant now;
};

std::expected<void, TokenRejection> check_signature(const JwkSet& keys, const TokenParts& parts, Use use,
                                                    const Memory& memory) {
  const auto header = TokenObject::decode(parts.header, kMaxDepth);
  if (!header) return std::unexpected(bad_shape);
  bool ok = true;
  const auto algorithm = signature_algorithm_of(header->text("alg", ok));
  if (!ok || !algorithm) return std::unexpected(bad_algorithm);
  if (!is_expected_type(*header, use) || header->find("crit")) return std::unexpected(bad_type);
  std::optional<std::string> id;
  if (header->find("kid")) id = header->text("kid", ok);
  if (!ok) return std::unexpected(unknown_key);
  bool ambiguous = false;
  const auto* key = keys.find(id, *algorithm, ambiguous);
  if (key == nullptr) return std::unexpected(ambiguous ? ambiguous_key : unknown_key);
  const auto check = [&] {
    const auto signature = decode_base64url(parts.signature);
    return signature && key->verify(*algorithm, parts.signed_text, *signature);
  };
  const bool holds = memory.known != nullptr ? memory.known->holds(memory.token, memory.now, check) : check();
  if (!holds) return std::unexpected(bad_signature);
  return {};
}

/// `aud` is a text or an array of texts (RFC 7519, 4.1.3). Nothing: neither.
std::optional<std::vector<std::string>> audiences_of(const TokenObject& payload) {
  const auto member = payload.find("aud");
  std::string_view text;
  if (!member) return std::nullopt;
  if (member->get(text) == simdjson::SUCCESS) return std::vector{std::string(text)};
  dom::array list;
  if (member->get(list) != simdjson::SUCCESS) return std::nullopt;
  std::vector<std::string> audiences;
  for (const auto element : list) {
    if (element.get(text) != simdjson::SUCCESS) return std::nullopt;
    audiences.emplace_back(text);
  }
  return audiences;
}

/// Signs by which an ID token gives itself away where its header does not.
bool looks_like_id_token(const TokenObject& payload) {
  for (const auto* name : {"nonce", "at_hash", "c_hash", "s_hash"}) {
    if (payload.find(name)) return true;
  }
  bool ok = true;
  return lower_case(payload.text("typ", ok)) == "id" || payload.text("token_use", ok) == "id";
}

std::expected<void, TokenRejection> check_binding(const TokenObject& payload, const ProviderClaims& claims,
                                                  const ProviderExpectations& expected) {
  bool ok = true;
  if (claims.issuer != expected.issuer) return std::unexpected(foreign_issuer);
  const auto audiences = audiences_of(payload);
  if (!audiences) return std::unexpected(bad_claims);
  if (std::ranges::find(*audiences, expected.audience) == audiences->end()) return std::unexpected(foreign_audience);
  if (expected.use == Use::id && payload.find("azp") && payload.text("azp", ok) != expected.audience) {
    return std::unexpected(foreign_audience);
  }
  if (expected.use == Use::access && looks_like_id_token(payload)) return std::unexpected(id_token);
  for (const auto& [name, value] : expected.required_claims) {
    const auto present = payload.find(name).has_value();
    if (!present || payload.text(name, ok) != value || !ok) return std::unexpected(foreign_tenant);
  }
  const auto nonce = payload.text("nonce", ok);
  if (expected.use == Use::id && !expected.nonce.empty() && (!ok || !equal_in_constant_time(nonce, expected.nonce))) {
    return std::unexpected(bad_nonce);
  }
  return {};
}

}  // namespace

std::expected<ProviderClaims, TokenRejection> verify_provider_token(const JwkSet& keys, std::string_view token,
                                                                    const ProviderExpectations& expected, Instant now,
                                                                    SignatureCache* known) {
  const auto parts = split_token(token, kMaxProviderTokenBytes);
  if (!parts) return std::unexpected(parts.error());
  const Memory memory{.known = known, .token = token, .now = now};
  if (auto checked = check_signature(keys, *parts, expected.use, memory); !checked) {
    return std::unexpected(checked.error());
  }
  const auto payload = TokenObject::decode(parts->payload, kMaxDepth);
  if (!payload) return std::unexpected(bad_claims);
  bool ok = true;
  ProviderClaims claims{.issuer = payload->text("iss", ok),
                        .subject = payload->text("sub", ok),
                        .client_id = payload->text("client_id", ok),
                        .token_id = payload->text("jti", ok),
                        .json = payload->json()};
  const auto issued_at = payload->numeric_date("iat", ok);
  const auto expires_at = payload->numeric_date("exp", ok);
  const auto not_before = payload->numeric_date("nbf", ok);
  if (!ok || !issued_at || !expires_at || claims.subject.empty()) return std::unexpected(bad_claims);
  claims.issued_at = *issued_at;
  claims.expires_at = *expires_at;
  if (auto bound = check_binding(*payload, claims, expected); !bound) return std::unexpected(bound.error());
  if (now >= claims.expires_at + expected.leeway) return std::unexpected(expired);
  if (claims.issued_at > now + expected.leeway) return std::unexpected(not_yet_valid);
  if (not_before && *not_before > now + expected.leeway) return std::unexpected(not_yet_valid);
  return claims;
}

std::string unverified_issuer(std::string_view token) {
  const auto parts = split_token(token, kMaxProviderTokenBytes);
  if (!parts) return {};
  const auto payload = TokenObject::decode(parts->payload, kMaxDepth);
  bool ok = true;
  return payload ? payload->text("iss", ok) : std::string();
}

}  // namespace cameleer::identity
