// The one place that sees cpp-jwt: it needs OpenSSL's deprecated names and brings nlohmann/json along.
#include <cameleer/identity/jwt.hpp>
#include <jwt/jwt.hpp>

namespace cameleer::identity {
namespace {

std::int64_t seconds_of(Instant instant) {
  return std::chrono::floor<std::chrono::seconds>(instant).time_since_epoch().count();
}

}  // namespace

std::string issue(const Keys& keys, const Claims& claims) {
  jwt::jwt_object token(jwt::params::algorithm("HS256"), jwt::params::secret(keys.jwt().bytes),
                        jwt::params::headers({{"kid", keys.jwt().id}}));
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) token.add_claim(name, value);
  };
  add("iss", claims.issuer);
  add("aud", claims.audience);
  add("sub", claims.subject);
  add("type", std::string(name_of(claims.type)));
  add("jti", claims.token_id);
  add("sid", claims.family);
  add("group", claims.application);
  add("env", claims.environment);
  add("keyRef", claims.key_ref);
  if (!claims.roles.empty()) token.add_claim("roles", claims.roles);
  token.add_claim("iat", seconds_of(claims.issued_at));
  token.add_claim("exp", seconds_of(claims.expires_at));
  return token.signature();
}

}  // namespace cameleer::identity
