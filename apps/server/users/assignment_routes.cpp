#include <boost/json/serialize.hpp>
#include <cameleer/web/service_routes.hpp>

#include "server/users/user_json.hpp"
#include "server/users/user_routes.hpp"

namespace cameleer::server {
namespace {

using Kind = AssignmentService::Kind;

std::string user_in(const web::Request& request) {
  return std::string(request.path_parameter("userId"));
}

AssignmentService::Target target_in(const web::Request& request) {
  const auto role = request.path_parameter("role");
  if (!role.empty()) return {.kind = Kind::role, .id_or_name = std::string(role)};
  return {.kind = Kind::group, .id_or_name = std::string(request.path_parameter("group"))};
}

web::Response answer(const Expected<void>& done, const web::Request& request) {
  return done ? web::Response::empty(204) : web::problem(done.error(), request.request_id);
}

async::Task<web::Response> give(AssignmentService& assignments, web::Request& request) {
  co_return answer(co_await assignments.give(caller_of(request), user_in(request), target_in(request)), request);
}

async::Task<web::Response> take(AssignmentService& assignments, web::Request& request) {
  co_return answer(co_await assignments.take(caller_of(request), user_in(request), target_in(request)), request);
}

async::Task<web::Response> effective(AssignmentService& assignments, web::Request& request) {
  std::optional<rbac::Permission> only;
  if (const auto name = request.query_value("permission")) {
    only = rbac::permission_of(*name);
    if (!only) {
      co_return web::problem({ErrorCode::invalid_parameter, "There is no permission of this name.", "permission"},
                             request.request_id);
    }
  }
  auto view = co_await assignments.effective(user_in(request));
  if (!view) co_return web::problem(view.error(), request.request_id);
  co_return web::Response::json(boost::json::serialize(json_of(*view, only)));
}

}  // namespace

void add_assignment_routes(web::Router& router, AssignmentService& assignments) {
  web::add_service_routes(
      router, assignments, {.body_bytes = 1'024, .decoded_body_bytes = 1'024},
      {
          {web::Method::get, "/api/v1/admin/users/{userId}/effective", "effectivePermissions", "manage_users",
           effective},
          {web::Method::put, "/api/v1/admin/users/{userId}/roles/{role}", "assignRole", "manage_users", give},
          {web::Method::del, "/api/v1/admin/users/{userId}/roles/{role}", "removeRole", "manage_users", take},
          {web::Method::put, "/api/v1/admin/users/{userId}/groups/{group}", "addToGroup", "manage_users", give},
          {web::Method::del, "/api/v1/admin/users/{userId}/groups/{group}", "removeFromGroup", "manage_users", take},
      });
}

}  // namespace cameleer::server
