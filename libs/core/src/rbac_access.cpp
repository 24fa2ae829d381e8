#include <algorithm>
#include <cameleer/core/rbac_access.hpp>
#include <set>

namespace cameleer::rbac {
namespace {

// Of a directory whose groups form a cycle all the same: each group once.
template <class Visit>
void visit_ancestors(const Directory& directory, std::string_view group, Visit visit) {
  std::set<std::string_view> seen;
  for (auto found = directory.groups.find(group);
       found != directory.groups.end() && seen.insert(found->first).second;) {
    if (!visit(found->second) || !found->second.parent_id) return;
    found = directory.groups.find(*found->second.parent_id);
  }
}

}  // namespace

std::string_view name_of(Origin origin) {
  return origin == Origin::direct ? "direct" : "managed";
}

std::optional<Origin> origin_of(std::string_view name) {
  if (name == "direct") return Origin::direct;
  if (name == "managed") return Origin::managed;
  return std::nullopt;
}

std::vector<Grant> Effective::why(Permission permission, const Directory& directory) const {
  std::vector<Grant> reasons;
  for (const auto& grant : grants) {
    const auto role = directory.roles.find(grant.role_id);
    if (role != directory.roles.end() && role->second.permissions.has(permission)) reasons.push_back(grant);
  }
  return reasons;
}

Effective effective(const Directory& directory, std::span<const Assignment> roles,
                    std::span<const Assignment> memberships) {
  Effective result;
  const auto grant = [&](const std::string& role_id, const Assignment& by, std::vector<std::string> path) {
    const auto role = directory.roles.find(role_id);
    if (role == directory.roles.end()) return;
    result.permissions.add(role->second.permissions);
    result.grants.push_back({.role_id = role_id, .assignment = by, .group_path = std::move(path)});
  };
  for (const auto& role : roles) grant(role.target_id, role, {});
  for (const auto& membership : memberships) {
    std::vector<std::string> path;
    visit_ancestors(directory, membership.target_id, [&](const Group& group) {
      path.push_back(group.id);
      for (const auto& role_id : group.role_ids) grant(role_id, membership, path);
      return true;
    });
  }
  return result;
}

bool would_cycle(const Directory& directory, std::string_view group, std::string_view parent) {
  bool cycle = group == parent;
  visit_ancestors(directory, parent, [&](const Group& ancestor) {
    cycle = cycle || ancestor.id == group;
    return !cycle;
  });
  return cycle;
}

Difference managed_difference(std::span<const Assignment> present, std::span<const Assignment> wanted) {
  const auto managed = [](std::span<const Assignment> all) {
    std::set<Assignment> set;
    for (const auto& one : all) {
      if (one.origin == Origin::managed) set.insert(one);
    }
    return set;
  };
  const auto before = managed(present), after = managed(wanted);
  Difference difference;
  std::ranges::set_difference(after, before, std::back_inserter(difference.add));
  std::ranges::set_difference(before, after, std::back_inserter(difference.remove));
  return difference;
}

}  // namespace cameleer::rbac
