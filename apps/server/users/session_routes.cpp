#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cameleer/web/service_routes.hpp>

#include "server/users/user_json.hpp"
#include "server/users/user_routes.hpp"

namespace cameleer::server {
namespace {

namespace json = boost::json;

/// Of an administrator's path; without one it is about one's own.
std::string user_in(const web::Request& request) {
  const auto named = request.path_parameter("userId");
  return named.empty() ? caller_of(request).actor.user_id : std::string(named);
}

web::Response answer(const Expected<void>& done, const web::Request& request) {
  return done ? web::Response::empty(204) : web::problem(done.error(), request.request_id);
}

async::Task<web::Response> list(SessionService& sessions, web::Request& request) {
  auto all = co_await sessions.list(caller_of(request), user_in(request));
  if (!all) co_return web::problem(all.error(), request.request_id);
  json::array items;
  for (const auto& session : *all) items.push_back(json_of(session));
  json::object body;
  body["items"] = std::move(items);
  co_return web::Response::json(json::serialize(body));
}

async::Task<web::Response> end(SessionService& sessions, web::Request& request) {
  co_return answer(
      co_await sessions.end(caller_of(request), user_in(request), std::string(request.path_parameter("sessionId"))),
      request);
}

async::Task<web::Response> end_all(SessionService& sessions, web::Request& request) {
  co_return answer(co_await sessions.end_all(caller_of(request), user_in(request)), request);
}

}  // namespace

void add_session_routes(web::Router& router, SessionService& sessions) {
  web::add_service_routes(
      router, sessions, {.body_bytes = 1'024, .decoded_body_bytes = 1'024},
      {
          {web::Method::get, "/api/v1/admin/users/{userId}/sessions", "listSessions", "manage_users", list},
          {web::Method::del, "/api/v1/admin/users/{userId}/sessions", "endSessions", "manage_users", end_all},
          {web::Method::del, "/api/v1/admin/users/{userId}/sessions/{sessionId}", "endSession", "manage_users", end},
          {web::Method::get, "/api/v1/auth/sessions", "listOwnSessions", "signed_in", list},
          {web::Method::del, "/api/v1/auth/sessions", "endOwnSessions", "signed_in", end_all},
          {web::Method::del, "/api/v1/auth/sessions/{sessionId}", "endOwnSession", "signed_in", end},
      });
}

}  // namespace cameleer::server
