#include "server/claim_mappings/token_claims.hpp"

#include <algorithm>
#include <cameleer/identity/encoding.hpp>

namespace cameleer::server {
namespace {

std::unexpected<Error> refuse(std::string rule) {
  return fail(ErrorCode::invalid_member, "/token: " + rule, "/token");
}

}  // namespace

Expected<std::string> unverified_claims(std::string_view token) {
  if (token.size() > kLongestPastedToken) return refuse("is too long");
  const auto dots = std::ranges::count(token, '.');
  if (dots == 4) return refuse("is encrypted (JWE): only the provider's client can read it");
  if (dots != 2) return refuse("must be a signed token (JWT): three parts with dots between");
  const auto first = token.find('.');
  auto claims = identity::decode_base64url(token.substr(first + 1, token.rfind('.') - first - 1));
  if (!claims) return refuse("has a payload that is not base64url");
  return std::move(*claims);
}

}  // namespace cameleer::server
