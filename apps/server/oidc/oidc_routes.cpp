#include "server/oidc/oidc_routes.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace cameleer::server {
namespace {

constexpr std::size_t kMaxReturn = 2'048;
constexpr const char* kCallback = "api/v1/auth/oidc/callback";

/// What the handlers share; lives as long as the router, which holds it in each of them.
struct OidcRoutes {
  OidcLogin& login;
  OidcRouteSettings settings;
};
using Shared = std::shared_ptr<const OidcRoutes>;

/// `https://host/base/`.
std::string base_of(const OidcRoutes& routes, const web::Request& request) {
  if (!routes.settings.public_url.empty()) return routes.settings.public_url + routes.settings.base_path;
  return (request.secure ? "https://" : "http://") + std::string(request.header("host")) + routes.settings.base_path;
}

web::Response redirect(std::string location) {
  auto response = web::Response::empty(302);
  response.headers.push_back({"Location", std::move(location)});
  response.headers.push_back({"Cache-Control", "no-store"});
  // The address holds code and state.
  response.headers.push_back({"Referrer-Policy", "no-referrer"});
  return response;
}

// Lax: it must come along when the provider sends the browser back.
std::string attempt_cookie(const OidcRoutes& routes, const web::Request& request, std::string_view name,
                           std::string_view value) {
  return fmt::format("{}={}; Path={}{}; HttpOnly; SameSite=Lax; Max-Age={}{}", name, value, routes.settings.base_path,
                     kCallback, value.empty() ? 0 : 600, request.secure ? "; Secure" : "");
}

async::Task<web::Response> begin(Shared routes, web::Request& request) {
  const std::string return_to(request.query_value("returnTo").value_or("/"));
  if (!is_inside(return_to)) {
    co_return web::problem({ErrorCode::invalid_parameter, "returnTo: must be a path of this server", "returnTo"},
                           request.request_id);
  }
  auto begun = co_await routes->login.begin(return_to, base_of(*routes, request) + kCallback, request.remote_address);
  if (!begun) co_return web::problem(begun.error(), request.request_id);
  auto response = redirect(std::move(begun->location));
  response.headers.push_back({"Set-Cookie", attempt_cookie(*routes, request, begun->cookie_name, begun->cookie_value)});
  co_return response;
}

async::Task<web::Response> finish(Shared routes, web::Request& request) {
  const auto parameter = [&request](std::string_view name) {
    return std::string(request.query_value(name).value_or(""));
  };
  const auto state = parameter("state");
  OidcLogin::Return answer{
      .state = state,
      .code = parameter("code"),
      .error = parameter("error"),
      .issuer = parameter("iss"),
      .cookie = [&request](const std::string& name) { return std::string(cookie_value(request, name)); },
      .user_agent = std::string(request.header("user-agent")),
      .actor = actor_of(request)};
  auto finished = co_await routes->login.finish(std::move(answer));
  const auto& base = routes->settings.base_path;
  auto response = finished ? redirect(base + finished->return_to.substr(1))
                           : redirect(base + "sign-in?error=" + finished.error().code);
  response.headers.push_back({"Set-Cookie", attempt_cookie(*routes, request, OidcLogin::cookie_of(state), "")});
  if (finished) response.headers.push_back({"Set-Cookie", session_cookie(request, base, finished->session)});
  co_return response;
}

async::Task<web::Response> logout_url(Shared routes, web::Request& request) {
  auto url = co_await routes->login.logout_url(principal_of(request).token_id, base_of(*routes, request) + "sign-in");
  if (!url) co_return web::problem(url.error(), request.request_id);
  boost::json::object body;
  if (!url->empty()) body["url"] = *url;
  auto response = web::Response::json(boost::json::serialize(body));
  response.headers.push_back({"Cache-Control", "no-store"});
  co_return response;
}

}  // namespace

bool is_inside(std::string_view return_to) {
  // Browsers read `//host` and `/\host` as another server, and drop tabs and line ends.
  if (!return_to.starts_with('/') || return_to.size() > kMaxReturn) return false;
  if (return_to.size() > 1 && (return_to[1] == '/' || return_to[1] == '\\')) return false;
  return std::ranges::all_of(return_to, [](char c) { return c > ' ' && c < '\x7f' && c != '\\'; });
}

void add_oidc_routes(web::Router& router, OidcLogin& login, OidcRouteSettings settings) {
  const Shared routes = std::make_shared<const OidcRoutes>(OidcRoutes{.login = login, .settings = std::move(settings)});
  struct Row {
    const char* pattern;
    const char* operation_id;
    std::string_view access;
    async::Task<web::Response> (*handler)(Shared, web::Request&);
    std::chrono::seconds handling;
  };
  const Row rows[] = {
      {"/api/v1/auth/oidc/login", "oidcLogin", "public", begin, std::chrono::seconds(30)},
      {"/api/v1/auth/oidc/callback", "oidcCallback", "public", finish, std::chrono::seconds(60)},
      {"/api/v1/auth/oidc/logout-url", "oidcLogoutUrl", "signed_in", logout_url, std::chrono::seconds(30)},
  };
  for (const auto& row : rows) {
    router.add(
        {.method = web::Method::get,
         .pattern = row.pattern,
         .operation_id = row.operation_id,
         .access = {row.access},
         .limits = {.handling = row.handling},
         .handler = [routes, handler = row.handler](web::Request& request) { return handler(routes, request); }});
  }
}

}  // namespace cameleer::server
