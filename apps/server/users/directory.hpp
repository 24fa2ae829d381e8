#pragma once
#include <cameleer/core/instant.hpp>
#include <cameleer/core/rbac_access.hpp>

#include "server/users/access_change.hpp"

namespace cameleer::server {

/// So many of each there may be: the whole directory is read at once.
inline constexpr std::size_t kMostRoles = 1'000, kMostGroups = 2'000;

/// Roles and groups that exist. `Connection`: a pool or a transaction.
template <class Connection>
async::Task<Expected<rbac::Directory>> read_directory(Connection& connection);

/// What a user was given directly or by rules.
struct Assignments {
  std::vector<rbac::Assignment> roles, groups;
};
template <class Connection>
async::Task<Expected<Assignments>> read_assignments(Connection& connection, std::string user_id);

/// Roles and groups by id or by name (in any case); null when there is none.
const rbac::Role* find_role(const rbac::Directory& directory, std::string_view id_or_name);
const rbac::Group* find_group(const rbac::Directory& directory, std::string_view id_or_name);
/// `role_not_found`, `group_not_found`.
Expected<rbac::Role> role_in(const rbac::Directory& directory, std::string_view id_or_name);
Expected<rbac::Group> group_in(const rbac::Directory& directory, std::string_view id_or_name);

/// What every member of the group may do because of it, its ancestors included.
rbac::Permissions permissions_of_group(const rbac::Directory& directory, const std::string& group_id);
/// From the group up to its farthest ancestor, by name.
std::vector<std::string> names_of_groups(const rbac::Directory& directory, const std::vector<std::string>& ids);

}  // namespace cameleer::server
