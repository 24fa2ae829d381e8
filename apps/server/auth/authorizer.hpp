#pragma once
#include <cameleer/web/router.hpp>

#include "server/auth/auth_service.hpp"
#include "server/auth/database_watch.hpp"
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

/// Value of a cookie; empty without one.
std::string_view cookie_value(const web::Request& request, std::string_view name);
/// Value of the session cookie; empty without one.
std::string_view session_of(const web::Request& request);
/// `Set-Cookie` of a session that begins; with an empty value, that ends.
std::string session_cookie(const web::Request& request, std::string_view base_path, std::string_view session);
/// Token of `Authorization: Bearer …`; empty without one.
std::string_view bearer_of(const web::Request& request);

/// Bearer tokens that say of themselves that they are not ours.
class ForeignTokens {
 public:
  virtual ~ForeignTokens() = default;
  /// Null: nobody else's tokens are accepted here.
  virtual async::Task<Expected<std::shared_ptr<const Principal>>> principal_of_token(std::string token,
                                                                                     const web::Request& request) = 0;
};
/// Sessions that somebody else keeps alive, or ends.
class SessionKeeper {
 public:
  virtual ~SessionKeeper() = default;
  /// Asked with every use of a session; a failure refuses it. True: what its user may do may just have changed.
  virtual async::Task<Expected<bool>> keep(std::string session_hash, const web::Request& request) = 0;
};
struct UserTokenRules {
  ForeignTokens* foreign = nullptr;
  bool own = true;  ///< false: no token of ours for people, when only the provider's count
  SessionKeeper* sessions = nullptr;
};

/// Gives the access names of routes their meaning: `public`; `signed_in`; a permission; `api_key`; `agent`,
/// `agent_stream` (whose token may also be the query parameter `token`) and `agent_refresh`, whose `{agentId}` in the
/// path must be the token's own. In an outage of the database (`database`; null: there is none) changes are
/// `unavailable`. All references outlive the server.
web::Authorizer make_authorizer(AuthService& auth, TokenService& tokens, EnvironmentService& environments,
                                OriginRule origins, UserTokenRules user_tokens = {},
                                const DatabaseWatch* database = nullptr);

/// What an outage of the database refuses: every operation of people and programs (`public`, `signed_in` and those with
/// a permission) that is not GET, HEAD or OPTIONS, but for `logout`, which is good without the database too, and
/// `testClaimMappings` and `testOidcConfiguration`, which change nothing. What agents send goes on.
bool is_change(const web::Route& route);

/// Fails with the operation whose access name nobody understands. Called at start, after `Router::seal`.
Expected<void> check_access_names(const web::Router& router);

}  // namespace cameleer::server
