#pragma once
#include <cameleer/identity/jwk_set.hpp>
#include <cameleer/identity/jwt.hpp>

namespace cameleer::identity {

/// What an OpenID provider's token must say before anybody looks at roles.
struct ProviderExpectations {
  enum class Use : std::uint8_t {
    access,  ///< a bearer token for us: an ID token is refused
    id,      ///< an ID token from the token endpoint
  };
  Use use = Use::access;
  std::string issuer;                                                ///< equal byte by byte
  std::string audience;                                              ///< one of the token's must be it
  std::vector<std::pair<std::string, std::string>> required_claims;  ///< text claims of exactly these values
  std::string nonce;                                                 ///< ID tokens: must be equal when not empty
  std::chrono::seconds leeway{60};                                   ///< for `exp`, `nbf` and `iat`
};

struct ProviderClaims {
  std::string issuer, subject;
  std::string client_id;  ///< empty when the token has none
  std::string token_id;   ///< `jti`, may be empty
  Instant issued_at{}, expires_at{};
  std::string json;  ///< the whole payload, for claim rules
  /// A token of a program, not of a person (client_credentials, RFC 9068 2.2): its subject is its client.
  [[nodiscard]] bool is_machine() const { return !client_id.empty() && client_id == subject; }
};

/// A provider's token may be longer than ours: it carries groups.
inline constexpr std::size_t kMaxProviderTokenBytes = 32 * 1024;

/// Checks form, algorithm, key, signature, then issuer, audience, times, use, required claims and nonce. `typ` may be
/// absent, `JWT` or `at+jwt` (RFC 9068), in any case and with `application/`. The algorithm must be one that the key
/// itself signs by. `known`, when given, is of these keys alone.
std::expected<ProviderClaims, TokenRejection> verify_provider_token(const JwkSet& keys, std::string_view token,
                                                                    const ProviderExpectations& expected, Instant now,
                                                                    SignatureCache* known = nullptr);

/// `iss` of a token nobody has verified: only to choose who may verify it. Empty when it cannot be read.
std::string unverified_issuer(std::string_view token);

}  // namespace cameleer::identity
