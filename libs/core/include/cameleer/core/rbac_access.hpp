#pragma once
#include <cameleer/core/rbac.hpp>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// What somebody may do, and through what: roles given directly, by claim rules, and through groups.
namespace cameleer::rbac {

/// `direct`: an administrator's doing, untouched by logins. `managed`: a claim rule's, renewed by each login.
enum class Origin : std::uint8_t { direct, managed };
std::string_view name_of(Origin origin);
std::optional<Origin> origin_of(std::string_view name);

struct Role {
  std::string id, name;
  Permissions permissions;
};

/// Groups nest: a member has the roles of its group and of all that group's ancestors.
struct Group {
  std::string id, name;
  std::optional<std::string> parent_id;
  std::vector<std::string> role_ids;
};

/// What exists. A reference to something that does not is passed over.
struct Directory {
  std::map<std::string, Role, std::less<>> roles;    ///< by id
  std::map<std::string, Group, std::less<>> groups;  ///< by id
};

/// A role of a user, or a user's membership in a group.
struct Assignment {
  std::string target_id;  ///< role or group
  Origin origin = Origin::direct;
  std::string mapping_id;  ///< the claim rule of a managed one
  friend bool operator==(const Assignment&, const Assignment&) = default;
  friend auto operator<=>(const Assignment&, const Assignment&) = default;
};

/// One way by which a user has a role.
struct Grant {
  std::string role_id;
  Assignment assignment;                ///< of the role itself, or of the membership that leads to it
  std::vector<std::string> group_path;  ///< from the group one is a member of up to the one that has the role
};

struct Effective {
  Permissions permissions;
  std::vector<Grant> grants;  ///< every way, so that taking one away can be judged
  /// The grants whose role allows it: why somebody can do something. Empty: they cannot.
  [[nodiscard]] std::vector<Grant> why(Permission permission, const Directory& directory) const;
};

Effective effective(const Directory& directory, std::span<const Assignment> roles,
                    std::span<const Assignment> memberships);

/// Whether `group` would be its own ancestor below `parent`.
bool would_cycle(const Directory& directory, std::string_view group, std::string_view parent);

/// What a login has to write so that the managed rows are `wanted`; direct ones are in neither list.
struct Difference {
  std::vector<Assignment> add, remove;
  [[nodiscard]] bool empty() const { return add.empty() && remove.empty(); }
};
Difference managed_difference(std::span<const Assignment> present, std::span<const Assignment> wanted);

}  // namespace cameleer::rbac
