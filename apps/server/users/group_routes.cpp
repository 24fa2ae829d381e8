#include "server/users/group_routes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cameleer/web/service_routes.hpp>

#include "server/auth/control_body.hpp"

namespace cameleer::server {
namespace {

namespace json = boost::json;

constexpr web::Limits kLimits{.body_bytes = 64 * 1024, .decoded_body_bytes = 64 * 1024};
constexpr std::size_t kLongestName = 256, kLongestDescription = 1'024, kMostRolesOfGroup = 100;

json::object json_of(const GroupDetails& group, const rbac::Directory& directory) {
  json::object item;
  item["id"] = group.group.id;
  item["name"] = group.group.name;
  item["description"] = group.description;
  if (group.group.parent_id) item["parentId"] = *group.group.parent_id;
  json::array roles;
  for (const auto& id : group.group.role_ids) {
    const auto found = directory.roles.find(id);
    if (found == directory.roles.end()) continue;
    json::object role;
    role["id"] = id;
    role["name"] = found->second.name;
    roles.push_back(std::move(role));
  }
  item["roles"] = std::move(roles);
  item["memberCount"] = group.members;
  item["createdAt"] = format_instant(group.created_at);
  return item;
}

std::string group_named(const web::Request& request) {
  return std::string(request.path_parameter("group"));
}

GroupChange change_in(ControlBody& body) {
  GroupChange wanted;
  wanted.name = body.optional_text("name", 1, kLongestName);
  wanted.description = body.optional_text("description", 0, kLongestDescription);
  if (body.has("parentId")) wanted.parent = body.optional_text("parentId", 1, kLongestName);
  if (body.has("roles")) wanted.roles = body.texts("roles", kMostRolesOfGroup, kLongestName);
  return wanted;
}

web::Response answer(const Expected<GroupService::Listed>& group, const web::Request& request, int status) {
  if (!group) return web::problem(group.error(), request.request_id);
  return web::Response::json(json::serialize(json_of(group->groups.front(), group->directory)), status);
}

web::Response answer(const Expected<void>& done, const web::Request& request) {
  return done ? web::Response::empty(204) : web::problem(done.error(), request.request_id);
}

async::Task<web::Response> list(GroupService& groups, web::Request& request) {
  auto all = co_await groups.list();
  if (!all) co_return web::problem(all.error(), request.request_id);
  json::array items;
  for (const auto& group : all->groups) items.push_back(json_of(group, all->directory));
  json::object body;
  body["items"] = std::move(items);
  co_return web::Response::json(json::serialize(body));
}

async::Task<web::Response> get(GroupService& groups, web::Request& request) {
  co_return answer(co_await groups.find(group_named(request)), request, 200);
}

async::Task<web::Response> create(GroupService& groups, web::Request& request) {
  ControlBody body(request);
  auto wanted = change_in(body);
  if (!wanted.name) body.refuse("name", "is required");
  if (body.failure()) co_return web::problem(*body.failure(), request.request_id);
  co_return answer(co_await groups.create(caller_of(request), std::move(wanted)), request, 201);
}

async::Task<web::Response> update(GroupService& groups, web::Request& request) {
  ControlBody body(request);
  auto wanted = change_in(body);
  if (body.failure()) co_return web::problem(*body.failure(), request.request_id);
  co_return answer(co_await groups.update(caller_of(request), group_named(request), std::move(wanted)), request, 200);
}

async::Task<web::Response> put_role(GroupService& groups, web::Request& request) {
  co_return answer(co_await groups.put_role(caller_of(request), group_named(request),
                                            std::string(request.path_parameter("role")), true),
                   request);
}

async::Task<web::Response> remove_role(GroupService& groups, web::Request& request) {
  co_return answer(co_await groups.put_role(caller_of(request), group_named(request),
                                            std::string(request.path_parameter("role")), false),
                   request);
}

async::Task<web::Response> remove(GroupService& groups, web::Request& request) {
  co_return answer(co_await groups.remove(caller_of(request), group_named(request)), request);
}

}  // namespace

void add_group_routes(web::Router& router, GroupService& groups) {
  web::add_service_routes(
      router, groups, kLimits,
      {
          {web::Method::get, "/api/v1/admin/groups", "listGroups", "manage_users", list},
          {web::Method::post, "/api/v1/admin/groups", "createGroup", "manage_users", create},
          {web::Method::get, "/api/v1/admin/groups/{group}", "getGroup", "manage_users", get},
          {web::Method::put, "/api/v1/admin/groups/{group}", "updateGroup", "manage_users", update},
          {web::Method::del, "/api/v1/admin/groups/{group}", "deleteGroup", "manage_users", remove},
          {web::Method::put, "/api/v1/admin/groups/{group}/roles/{role}", "addRoleToGroup", "manage_users", put_role},
          {web::Method::del, "/api/v1/admin/groups/{group}/roles/{role}", "removeRoleFromGroup", "manage_users",
           remove_role},
      });
}

}  // namespace cameleer::server
