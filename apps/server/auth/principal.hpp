#pragma once
#include <cameleer/core/instant.hpp>
#include <cameleer/core/rbac.hpp>
#include <cameleer/web/message.hpp>
#include <string>

namespace cameleer::server {

/// Who is behind a request, found by the authoriser before the handler runs.
struct Principal {
  enum class Kind : std::uint8_t {
    user,           ///< a browser session or a user's access token
    machine,        ///< a program with its own token of the OpenID provider; its id is its client id
    agent,          ///< an agent's access token
    agent_refresh,  ///< an agent's refresh token, good for its refresh only
    api_key,        ///< an environment's API key or the bootstrap token, good for registration only
  };
  Kind kind = Kind::user;
  std::string id;              ///< user id, or agent id; empty for api_key
  std::string username;        ///< users and machines
  std::string environment;     ///< agents and keys: the environment they are bound to (slug)
  std::string data_name;       ///< agents and keys: what the environment's telemetry carries; empty: the slug
  std::string application;     ///< agents only
  std::string key_ref;         ///< agents and keys: the API key's id; `bootstrap:…` for the bootstrap token
  std::string token_id;        ///< refresh tokens: `jti`; users: the session's id
  Instant token_expires_at{};  ///< agents only: when the token presented ends
  rbac::Permissions permissions;
};

/// The principal of a request whose route is not public. Calling it on a public route is a bug (throws).
const Principal& principal_of(const web::Request& request);

}  // namespace cameleer::server
