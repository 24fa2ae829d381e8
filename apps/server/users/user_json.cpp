#include "server/users/user_json.hpp"

#include <boost/json/array.hpp>

namespace cameleer::server {
namespace {

namespace json = boost::json;

template <class Value>
std::string name_in(const std::map<std::string, Value, std::less<>>& values, const std::string& id) {
  const auto found = values.find(id);
  return found == values.end() ? id : found->second.name;
}

template <class Value>
json::array json_of(const std::vector<rbac::Assignment>& assignments,
                    const std::map<std::string, Value, std::less<>>& values) {
  json::array items;
  for (const auto& assignment : assignments) {
    json::object item;
    item["id"] = assignment.target_id;
    item["name"] = name_in(values, assignment.target_id);
    item["origin"] = rbac::name_of(assignment.origin);
    if (!assignment.mapping_id.empty()) item["ruleId"] = assignment.mapping_id;
    items.push_back(std::move(item));
  }
  return items;
}

json::object json_of(const rbac::Grant& grant, const rbac::Directory& directory) {
  json::object way;
  way["role"] = name_in(directory.roles, grant.role_id);
  way["origin"] = rbac::name_of(grant.assignment.origin);
  if (!grant.assignment.mapping_id.empty()) way["ruleId"] = grant.assignment.mapping_id;
  json::array path;
  for (const auto& name : names_of_groups(directory, grant.group_path)) path.emplace_back(name);
  way["groupPath"] = std::move(path);
  return way;
}

json::object json_of(const EffectiveView& view, rbac::Permission permission) {
  json::array ways;
  for (const auto& grant : view.effective.why(permission, view.directory)) {
    ways.push_back(json_of(grant, view.directory));
  }
  json::object item;
  item["permission"] = rbac::name_of(permission);
  item["ways"] = std::move(ways);
  return item;
}

}  // namespace

json::object json_of(const Account& account) {
  json::object item;
  item["userId"] = account.id;
  item["username"] = account.username;
  item["displayName"] = account.display_name;
  if (account.email) item["email"] = *account.email;
  item["source"] = account.source;
  item["enabled"] = account.enabled;
  item["createdAt"] = format_instant(account.created_at);
  if (account.last_login_at) item["lastLoginAt"] = format_instant(*account.last_login_at);
  if (account.locked_until) item["lockedUntil"] = format_instant(*account.locked_until);
  return item;
}

json::object json_of(const UserDetails& details) {
  auto item = json_of(details.account);
  item["roles"] = json_of(details.assignments.roles, details.directory.roles);
  item["groups"] = json_of(details.assignments.groups, details.directory.groups);
  return item;
}

json::object json_of(const SessionDetails& session) {
  json::object item;
  item["id"] = session.id;
  item["createdAt"] = format_instant(session.created_at);
  item["lastSeenAt"] = format_instant(session.last_seen_at);
  item["expiresAt"] = format_instant(session.expires_at);
  item["remoteAddress"] = session.remote_address;
  item["userAgent"] = session.user_agent;
  item["current"] = session.current;
  return item;
}

json::object json_of(const EffectiveView& view, std::optional<rbac::Permission> only) {
  json::object body;
  body["userId"] = view.account.id;
  body["username"] = view.account.username;
  body["enabled"] = view.account.enabled;
  if (only) body["allowed"] = view.account.enabled && view.effective.permissions.has(*only);
  json::array roles;
  for (const auto& grant : view.effective.grants) roles.push_back(json_of(grant, view.directory));
  json::array permissions;
  for (const auto permission : rbac::all_permissions()) {
    const bool wanted = only ? permission == *only : view.effective.permissions.has(permission);
    if (wanted) permissions.push_back(json_of(view, permission));
  }
  if (!only) body["grants"] = std::move(roles);
  body["permissions"] = std::move(permissions);
  return body;
}

}  // namespace cameleer::server
