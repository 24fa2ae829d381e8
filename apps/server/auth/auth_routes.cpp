#include "server/auth/auth_routes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "server/auth/control_body.hpp"

namespace cameleer::server {
namespace {

constexpr web::Limits kLimits{.body_bytes = 16 * 1024, .decoded_body_bytes = 16 * 1024};
constexpr std::size_t kMaxName = 256;
constexpr std::size_t kMaxPassword = 1024;

/// What the handlers share; lives as long as the router, which holds it in each of them.
struct AuthRoutes {
  AuthService& auth;
  OriginRule origins;
  AuthRouteSettings settings;
};
using Shared = std::shared_ptr<const AuthRoutes>;

web::Response uncached(web::Response response) {
  response.headers.push_back({"Cache-Control", "no-store"});
  return response;
}

boost::json::array array_of(const std::vector<std::string>& texts) {
  boost::json::array array;
  for (const auto& text : texts) array.emplace_back(text);
  return array;
}

web::Response me_response(const User& user) {
  boost::json::object body;
  body["userId"] = user.id;
  body["username"] = user.username;
  body["displayName"] = user.display_name;
  body["roles"] = array_of(user.roles);
  body["permissions"] = array_of(user.permissions.names());
  return uncached(web::Response::json(boost::json::serialize(body)));
}

web::Response pair_response(const TokenPair& pair) {
  boost::json::object body;
  body["accessToken"] = pair.access;
  body["refreshToken"] = pair.refresh;
  body["tokenType"] = "Bearer";
  body["expiresInSeconds"] = pair.expires_in.count();
  return uncached(web::Response::json(boost::json::serialize(body)));
}

web::Response refusal(const SignInFailure& failure, const web::Request& request) {
  auto response = web::problem(failure.error, request.request_id);
  if (failure.retry_after) response.headers.push_back({"Retry-After", std::to_string(failure.retry_after->count())});
  return response;
}

struct Credentials {
  std::string username, password;
};

/// A foreign page cannot send JSON without the server's leave; so JSON it must be.
Expected<void> check_form(const AuthRoutes& routes, const web::Request& request) {
  const auto type = request.header("content-type");
  if (!type.empty() && !type.starts_with("application/json")) {
    return fail(ErrorCode::unsupported_media_type, "The content type must be application/json.", "Content-Type");
  }
  if (!request.header("origin").empty() && !routes.origins.allows(request)) {
    return fail(ErrorCode::foreign_origin, "The request comes from another origin.", "Origin");
  }
  return {};
}

Expected<Credentials> credentials_in(const AuthRoutes& routes, const web::Request& request) {
  if (auto form = check_form(routes, request); !form) return std::unexpected(form.error());
  ControlBody body(request);
  Credentials credentials{.username = body.text("username", 1, kMaxName),
                          .password = body.text("password", 1, kMaxPassword)};
  if (body.failure()) return std::unexpected(*body.failure());
  return credentials;
}

async::Task<web::Response> no_local_login(Shared, web::Request& request) {
  co_return web::problem({ErrorCode::not_found, "There is no sign-in with a password here."}, request.request_id);
}

async::Task<web::Response> login(Shared routes, web::Request& request) {
  auto credentials = credentials_in(*routes, request);
  if (!credentials) co_return web::problem(credentials.error(), request.request_id);
  auto result = co_await routes->auth.login(std::move(credentials->username), std::move(credentials->password),
                                            request.remote_address, std::string(request.header("user-agent")),
                                            request.request_id);
  if (!result) co_return refusal(result.error(), request);
  auto response = me_response(result->user);
  response.headers.push_back({"Set-Cookie", session_cookie(request, routes->settings.base_path, result->session)});
  co_return response;
}

async::Task<web::Response> issue_token(Shared routes, web::Request& request) {
  auto credentials = credentials_in(*routes, request);
  if (!credentials) co_return web::problem(credentials.error(), request.request_id);
  auto result = co_await routes->auth.issue_tokens(std::move(credentials->username), std::move(credentials->password),
                                                   request.remote_address, request.request_id);
  if (!result) co_return refusal(result.error(), request);
  co_return pair_response(*result);
}

async::Task<web::Response> refresh(Shared routes, web::Request& request) {
  ControlBody body(request);
  auto token = body.text("refreshToken", 1, identity::kMaxTokenBytes);
  if (body.failure()) co_return web::problem(*body.failure(), request.request_id);
  auto pair = co_await routes->auth.refresh(std::move(token), actor_of(request));
  if (!pair) co_return web::problem(pair.error(), request.request_id);
  co_return pair_response(*pair);
}

async::Task<web::Response> me(Shared routes, web::Request& request) {
  const auto& principal = principal_of(request);
  if (principal.kind == Principal::Kind::machine) {
    User machine;
    machine.id = machine.username = machine.display_name = principal.id;
    machine.roles = {"ADMIN"};
    machine.permissions = principal.permissions;
    co_return me_response(machine);
  }
  auto user = co_await routes->auth.user(principal.id);
  if (!user) co_return web::problem(user.error(), request.request_id);
  co_return me_response(*user);
}

async::Task<web::Response> logout(Shared routes, web::Request& request) {
  auto response = web::Response::empty(204);
  // Another site's page must not sign anybody out; it gets the same answer.
  if (!request.header("origin").empty() && !routes->origins.allows(request)) co_return response;
  if (const auto token = bearer_of(request); !token.empty())
    co_await routes->auth.end_token(std::string(token), actor_of(request));
  if (const auto session = session_of(request); !session.empty()) {
    co_await routes->auth.end_session(std::string(session), actor_of(request));
    response.headers.push_back({"Set-Cookie", session_cookie(request, routes->settings.base_path, "")});
  }
  co_return response;
}

async::Task<web::Response> capabilities(Shared routes, web::Request& request) {
  boost::json::object body;
  body["localLogin"] = routes->settings.local_login;
  body["oidc"] = routes->settings.oidc && routes->settings.oidc();
  body["version"] = routes->settings.version;
  body["insecureTransport"] = !request.secure;
  co_return web::Response::json(boost::json::serialize(body));
}

}  // namespace

void add_auth_routes(web::Router& router, AuthService& auth, OriginRule origins, AuthRouteSettings settings) {
  const Shared routes = std::make_shared<const AuthRoutes>(
      AuthRoutes{.auth = auth, .origins = std::move(origins), .settings = std::move(settings)});
  struct Row {
    web::Method method;
    const char* pattern;
    const char* operation_id;
    std::string_view access;
    async::Task<web::Response> (*handler)(Shared, web::Request&);
  };
  const Row rows[] = {
      {web::Method::get, "/api/v1/auth/capabilities", "authCapabilities", "public", capabilities},
      {web::Method::post, "/api/v1/auth/login", "login", "public", login},
      {web::Method::post, "/api/v1/auth/token", "issueToken", "public", issue_token},
      {web::Method::post, "/api/v1/auth/refresh", "refreshToken", "public", refresh},
      {web::Method::get, "/api/v1/auth/me", "me", "signed_in", me},
      {web::Method::post, "/api/v1/auth/logout", "logout", "public", logout},
  };
  for (const auto& row : rows) {
    const std::string_view operation = row.operation_id;
    const bool local = operation == "login" || operation == "issueToken" || operation == "refreshToken";
    const auto handler = local && !routes->settings.local_login ? no_local_login : row.handler;
    router.add({.method = row.method,
                .pattern = row.pattern,
                .operation_id = row.operation_id,
                .access = {row.access},
                .limits = kLimits,
                .handler = [routes, handler](web::Request& request) { return handler(routes, request); }});
  }
}

}  // namespace cameleer::server
