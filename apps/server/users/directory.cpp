#include "server/users/directory.hpp"

#include <algorithm>

namespace cameleer::server {
namespace {

std::vector<std::string> split(std::string_view names) {
  std::vector<std::string> parts;
  while (!names.empty()) {
    const auto comma = std::min(names.find(','), names.size());
    parts.emplace_back(names.substr(0, comma));
    names.remove_prefix(std::min(comma + 1, names.size()));
  }
  return parts;
}

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? a + 32 : a) == (b >= 'A' && b <= 'Z' ? b + 32 : b);
  });
}

template <class Value>
const Value* find_in(const std::map<std::string, Value, std::less<>>& values, std::string_view id_or_name) {
  if (const auto found = values.find(id_or_name); found != values.end()) return &found->second;
  const Value* in_other_case = nullptr;
  for (const auto& [id, value] : values) {
    if (value.name == id_or_name) return &value;
    if (equal_ignoring_case(value.name, id_or_name)) in_other_case = &value;
  }
  return in_other_case;
}

rbac::Permissions permissions_in(std::string_view role, std::string_view names) {
  if (const auto system = rbac::system_role(role)) return *system;
  rbac::Permissions permissions;
  for (const auto& name : split(names)) {
    // A permission that only a newer program knows gives nothing.
    if (const auto permission = rbac::permission_of(name)) permissions.add(*permission);
  }
  return permissions;
}

std::vector<rbac::Assignment> assignments_in(const postgres::Result& result, std::string_view kind) {
  std::vector<rbac::Assignment> assignments;
  for (std::size_t row = 0; row < result.rows(); ++row) {
    if (result.text(row, 0) != kind) continue;
    assignments.push_back({.target_id = std::string(result.text(row, 1)),
                           .origin = rbac::origin_of(result.text(row, 2)).value_or(rbac::Origin::managed),
                           .mapping_id = std::string(result.text(row, 3))});
  }
  return assignments;
}

}  // namespace

template <class Connection>
async::Task<Expected<rbac::Directory>> read_directory(Connection& connection) {
  rbac::Directory directory;
  auto roles =
      co_await ask(connection, "select role_id, name, array_to_string(permissions, ',') from roles order by name", {});
  if (!roles) co_return std::unexpected(roles.error());
  for (std::size_t row = 0; row < roles->rows(); ++row) {
    const std::string id(roles->text(row, 0)), name(roles->text(row, 1));
    directory.roles[id] = {.id = id, .name = name, .permissions = permissions_in(name, roles->text(row, 2))};
  }
  auto groups = co_await ask(connection,
                             "select g.group_id, g.name, g.parent_group_id, (select coalesce(string_agg(role_id::text, "
                             "',' order by role_id), '') from group_roles gr where gr.group_id = g.group_id) from "
                             "groups g",
                             {});
  if (!groups) co_return std::unexpected(groups.error());
  for (std::size_t row = 0; row < groups->rows(); ++row) {
    const std::string id(groups->text(row, 0));
    directory.groups[id] = {.id = id,
                            .name = std::string(groups->text(row, 1)),
                            .parent_id = groups->optional_text(row, 2),
                            .role_ids = split(groups->text(row, 3))};
  }
  co_return directory;
}

template <class Connection>
async::Task<Expected<Assignments>> read_assignments(Connection& connection, std::string user_id) {
  postgres::Parameters parameters{user_id};
  auto result = co_await ask(connection,
                             "select 'role', role_id, origin, mapping_id from user_roles where user_id = $1::uuid "
                             "union all select 'group', group_id, origin, mapping_id from user_groups where user_id = "
                             "$1::uuid order by 1, 3, 2",
                             std::move(parameters));
  if (!result) co_return std::unexpected(result.error());
  co_return Assignments{.roles = assignments_in(*result, "role"), .groups = assignments_in(*result, "group")};
}

template async::Task<Expected<rbac::Directory>> read_directory(postgres::Pool&);
template async::Task<Expected<rbac::Directory>> read_directory(postgres::Transaction&);
template async::Task<Expected<Assignments>> read_assignments(postgres::Pool&, std::string);
template async::Task<Expected<Assignments>> read_assignments(postgres::Transaction&, std::string);

const rbac::Role* find_role(const rbac::Directory& directory, std::string_view id_or_name) {
  return find_in(directory.roles, id_or_name);
}

const rbac::Group* find_group(const rbac::Directory& directory, std::string_view id_or_name) {
  return find_in(directory.groups, id_or_name);
}

Expected<rbac::Role> role_in(const rbac::Directory& directory, std::string_view id_or_name) {
  const auto* found = find_role(directory, id_or_name);
  if (found == nullptr) return fail(ErrorCode::role_not_found, "There is no role of this id or name.", "role");
  return *found;
}

Expected<rbac::Group> group_in(const rbac::Directory& directory, std::string_view id_or_name) {
  const auto* found = find_group(directory, id_or_name);
  if (found == nullptr) return fail(ErrorCode::group_not_found, "There is no group of this id or name.", "group");
  return *found;
}

rbac::Permissions permissions_of_group(const rbac::Directory& directory, const std::string& group_id) {
  const rbac::Assignment membership{.target_id = group_id, .mapping_id = {}};
  return rbac::effective(directory, {}, std::span(&membership, 1)).permissions;
}

std::vector<std::string> names_of_groups(const rbac::Directory& directory, const std::vector<std::string>& ids) {
  std::vector<std::string> names;
  for (const auto& id : ids) {
    const auto found = directory.groups.find(id);
    names.push_back(found == directory.groups.end() ? id : found->second.name);
  }
  return names;
}

}  // namespace cameleer::server
