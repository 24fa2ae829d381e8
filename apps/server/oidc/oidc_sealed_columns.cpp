#include "server/oidc/oidc_sealed_columns.hpp"

namespace cameleer::server {
namespace {

constexpr SealedColumn kColumns[] = {
    {.name = "OpenID client secret",
     .select = "select key, value ->> 'sealedClientSecret' from server_config where key = 'oidc' "
               "and value ->> 'sealedClientSecret' like $1 and key > $2 order by key limit 500",
     .update = "update server_config set value = jsonb_set(value, '{sealedClientSecret}', to_jsonb($3::text)) "
               "where key = $1 and value ->> 'sealedClientSecret' = $2",
     .place_of = [](std::string_view) { return std::string(kOidcSecretPlace); }},
    {.name = "OpenID sign-ins under way",
     .select = "select state_hash, sealed from oidc_attempts where sealed like $1 and state_hash > $2 "
               "order by state_hash limit 500",
     .update = "update oidc_attempts set sealed = $3 where state_hash = $1 and sealed = $2",
     .place_of = oidc_attempt_place},
    {.name = "OpenID tokens of sessions",
     .select = "select session_hash, sealed from oidc_sessions where sealed like $1 and session_hash > $2 "
               "order by session_hash limit 500",
     .update = "update oidc_sessions set sealed = $3 where session_hash = $1 and sealed = $2",
     .place_of = oidc_session_place},
};

}  // namespace

std::string oidc_attempt_place(std::string_view state_hash) {
  return "oidc.attempt:" + std::string(state_hash);
}
std::string oidc_session_place(std::string_view session_hash) {
  return "oidc.session:" + std::string(session_hash);
}

std::span<const SealedColumn> oidc_sealed_columns() {
  return kColumns;
}

}  // namespace cameleer::server
