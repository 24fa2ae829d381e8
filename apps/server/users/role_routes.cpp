#include "server/users/role_routes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cameleer/web/service_routes.hpp>

#include "server/auth/control_body.hpp"

namespace cameleer::server {
namespace {

namespace json = boost::json;

constexpr web::Limits kLimits{.body_bytes = 16 * 1024, .decoded_body_bytes = 16 * 1024};
constexpr std::size_t kLongestName = 64, kLongestDescription = 1'024, kMostPermissions = 64;

json::object json_of(const RoleDetails& role) {
  json::object item;
  item["id"] = role.id;
  item["name"] = role.name;
  item["description"] = role.description;
  item["system"] = role.system;
  json::array permissions;
  for (const auto& name : role.permissions.names()) permissions.emplace_back(name);
  item["permissions"] = std::move(permissions);
  item["createdAt"] = format_instant(role.created_at);
  return item;
}

std::string role_named(const web::Request& request) {
  return std::string(request.path_parameter("role"));
}

RoleChange change_in(ControlBody& body) {
  RoleChange wanted;
  wanted.name = body.optional_text("name", 1, kLongestName);
  wanted.description = body.optional_text("description", 0, kLongestDescription);
  if (body.has("permissions")) wanted.permissions = body.texts("permissions", kMostPermissions, kLongestName);
  return wanted;
}

web::Response answer(const Expected<RoleDetails>& role, const web::Request& request, int status) {
  if (!role) return web::problem(role.error(), request.request_id);
  return web::Response::json(json::serialize(json_of(*role)), status);
}

async::Task<web::Response> list(RoleService& roles, web::Request& request) {
  auto all = co_await roles.list();
  if (!all) co_return web::problem(all.error(), request.request_id);
  json::array items;
  for (const auto& role : *all) items.push_back(json_of(role));
  json::object body;
  body["items"] = std::move(items);
  co_return web::Response::json(json::serialize(body));
}

async::Task<web::Response> get(RoleService& roles, web::Request& request) {
  co_return answer(co_await roles.find(role_named(request)), request, 200);
}

async::Task<web::Response> create(RoleService& roles, web::Request& request) {
  ControlBody body(request);
  auto wanted = change_in(body);
  if (!wanted.name) body.refuse("name", "is required");
  if (body.failure()) co_return web::problem(*body.failure(), request.request_id);
  co_return answer(co_await roles.create(caller_of(request), std::move(wanted)), request, 201);
}

async::Task<web::Response> update(RoleService& roles, web::Request& request) {
  ControlBody body(request);
  auto wanted = change_in(body);
  if (body.failure()) co_return web::problem(*body.failure(), request.request_id);
  co_return answer(co_await roles.update(caller_of(request), role_named(request), std::move(wanted)), request, 200);
}

async::Task<web::Response> remove(RoleService& roles, web::Request& request) {
  auto removed = co_await roles.remove(caller_of(request), role_named(request));
  if (!removed) co_return web::problem(removed.error(), request.request_id);
  co_return web::Response::empty(204);
}

}  // namespace

void add_role_routes(web::Router& router, RoleService& roles) {
  web::add_service_routes(router, roles, kLimits,
                          {
                              {web::Method::get, "/api/v1/admin/roles", "listRoles", "manage_users", list},
                              {web::Method::post, "/api/v1/admin/roles", "createRole", "manage_users", create},
                              {web::Method::get, "/api/v1/admin/roles/{role}", "getRole", "manage_users", get},
                              {web::Method::put, "/api/v1/admin/roles/{role}", "updateRole", "manage_users", update},
                              {web::Method::del, "/api/v1/admin/roles/{role}", "deleteRole", "manage_users", remove},
                          });
}

}  // namespace cameleer::server
