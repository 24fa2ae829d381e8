#pragma once
#include <cameleer/web/router.hpp>

#include "server/auth/auth_service.hpp"
#include "server/environments/environment_service.hpp"

namespace cameleer::server {

inline constexpr std::string_view kSessionCookie = "cameleer_session";

/// Which pages may change something with the session cookie: those of the server itself.
class OriginRule {
 public:
  /// `public_url`: setting `cameleer.server.http.public-url`; empty: only the request's own Host counts.
  explicit OriginRule(std::string_view public_url = {});
  /// True when Origin is the server's public one or that of the request's own scheme and host.
  [[nodiscard]] bool allows(const web::Request& request) const;

 private:
  std::string public_origin_;
};

/// Value of the session cookie; empty without one.
std::string_view session_of(const web::Request& request);
/// Token of `Authorization: Bearer …`; empty without one.
std::string_view bearer_of(const web::Request& request);

/// Gives the access names of routes their meaning: `public`; `signed_in`; a permission; `api_key`; `agent`,
/// `agent_stream` (whose token may also be the query parameter `token`) and `agent_refresh`, whose `{agentId}` in the
/// path must be the token's own. All references outlive the server.
web::Authorizer make_authorizer(AuthService& auth, TokenService& tokens, EnvironmentService& environments,
                                OriginRule origins);

/// Fails with the operation whose access name nobody understands. Called at start, after `Router::seal`.
Expected<void> check_access_names(const web::Router& router);

}  // namespace cameleer::server
