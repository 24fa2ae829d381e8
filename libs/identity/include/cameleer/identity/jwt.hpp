#pragma once
#include <cameleer/core/error.hpp>
#include <cameleer/core/instant.hpp>
#include <cameleer/identity/keys.hpp>
#include <cameleer/identity/signature_cache.hpp>
#include <string>
#include <string_view>
#include <vector>

/// The server's own tokens: JWT (RFC 7519) with HS256. Issued by cpp-jwt, verified by a small strict reader over
/// OpenSSL, because cpp-jwt's decoder indexes a table with whatever byte a stranger sends.
namespace cameleer::identity {

enum class TokenType : std::uint8_t { access, refresh };
std::string_view name_of(TokenType type);

/// What a token of ours says. Instants have whole seconds.
struct Claims {
  std::string issuer;
  std::string audience;
  std::string subject;  ///< user id or agent id
  TokenType type = TokenType::access;
  std::string token_id;     ///< `jti`
  std::string family;       ///< `sid`: shared by all pairs that descend from one sign-in or registration
  std::string application;  ///< `group`, agents only
  std::string environment;  ///< `env`, agents only
  std::string key_ref;      ///< `keyRef`, agents only: id of the API key
  std::vector<std::string> roles;
  Instant issued_at{};
  Instant expires_at{};
};

/// The compact token, signed with `keys.jwt()`; the same claims give the same token.
std::string issue(const Keys& keys, const Claims& claims);

/// Why a token was refused; counted by its name, told to the caller only in broad terms.
enum class TokenRejection : std::uint8_t {
  too_long,
  bad_character,
  bad_shape,  ///< not three parts of canonical base64url, or not the JSON of a token
  bad_algorithm,
  bad_type,  ///< `typ` or an unknown `crit`
  unknown_key,
  bad_signature,
  bad_claims,  ///< a claim is missing, twice there or of a wrong type
  foreign_issuer,
  foreign_audience,
  expired,
  not_yet_valid,
  ambiguous_key,   ///< no `kid`, and several keys could be meant
  id_token,        ///< an ID token where an access token belongs
  foreign_tenant,  ///< a required claim is missing or has another value
  bad_nonce,
};
std::string_view name_of(TokenRejection rejection);

struct Expectations {
  std::string issuer;
  std::vector<std::string> audiences;  ///< any of these
  std::chrono::seconds leeway{60};     ///< for `nbf` and `iat` only: `exp` is by our own clock and exact
};

/// No token of ours is longer.
inline constexpr std::size_t kMaxTokenBytes = 8 * 1024;

/// Checks form, key, signature and times, in that order; reads claims only after the signature held. `known`, when
/// given, is of these keys alone.
std::expected<Claims, TokenRejection> verify(const Keys& keys, std::string_view token, const Expectations& expected,
                                             Instant now, SignatureCache* known = nullptr);

/// The refusal as a client sees it: `invalid_token`; an expired token is told apart, so that a client refreshes.
Error error_of(TokenRejection rejection);

}  // namespace cameleer::identity
