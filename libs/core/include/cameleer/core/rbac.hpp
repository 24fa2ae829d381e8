#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Who may do what: the closed set of permissions and the roles that every server has.
namespace cameleer::rbac {

enum class Permission : std::uint8_t {
  view_observability,
  view_runtime,
  send_commands,
  edit_config,
  deploy_apps,
  manage_apps,
  manage_environments,
  manage_api_keys,
  manage_users,
  manage_alerts,
  manage_outbound,
  manage_server,
  manage_license,
  view_audit,
};

std::string_view name_of(Permission permission);
std::optional<Permission> permission_of(std::string_view name);
std::span<const Permission> all_permissions();

/// A set of permissions; a value.
class Permissions {
 public:
  constexpr Permissions() = default;
  constexpr Permissions(std::initializer_list<Permission> list) {
    for (auto permission : list) add(permission);
  }
  static Permissions all();
  constexpr void add(Permission permission) { bits_ |= bit(permission); }
  constexpr void add(Permissions other) { bits_ |= other.bits_; }
  [[nodiscard]] constexpr bool has(Permission permission) const { return (bits_ & bit(permission)) != 0; }
  [[nodiscard]] std::vector<std::string> names() const;
  friend constexpr bool operator==(Permissions, Permissions) = default;

 private:
  static constexpr std::uint32_t bit(Permission permission) { return 1u << static_cast<unsigned>(permission); }
  std::uint32_t bits_ = 0;
};

/// VIEWER, OPERATOR and ADMIN: exist in every server and cannot be changed. `nullopt`: not a system role.
std::optional<Permissions> system_role(std::string_view name);
std::span<const std::string_view> system_role_names();

}  // namespace cameleer::rbac
