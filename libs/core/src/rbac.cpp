#include <algorithm>
#include <array>
#include <cameleer/core/rbac.hpp>
#include <utility>

namespace cameleer::rbac {
namespace {

using enum Permission;

constexpr std::array kNames{
    std::pair{view_observability, std::string_view("view_observability")},
    std::pair{view_runtime, std::string_view("view_runtime")},
    std::pair{send_commands, std::string_view("send_commands")},
    std::pair{edit_config, std::string_view("edit_config")},
    std::pair{deploy_apps, std::string_view("deploy_apps")},
    std::pair{manage_apps, std::string_view("manage_apps")},
    std::pair{manage_environments, std::string_view("manage_environments")},
    std::pair{manage_api_keys, std::string_view("manage_api_keys")},
    std::pair{manage_users, std::string_view("manage_users")},
    std::pair{manage_alerts, std::string_view("manage_alerts")},
    std::pair{manage_outbound, std::string_view("manage_outbound")},
    std::pair{manage_server, std::string_view("manage_server")},
    std::pair{manage_license, std::string_view("manage_license")},
    std::pair{view_audit, std::string_view("view_audit")},
};

constexpr auto kAll = [] {
  std::array<Permission, kNames.size()> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = kNames[i].first;
  return all;
}();

constexpr Permissions kViewer{view_observability, view_runtime};
constexpr Permissions kOperator{view_observability, view_runtime, send_commands, edit_config,
                                deploy_apps,        manage_apps,  manage_alerts};
constexpr std::array<std::string_view, 3> kSystemRoles{"VIEWER", "OPERATOR", "ADMIN"};

}  // namespace

std::string_view name_of(Permission permission) {
  return kNames[static_cast<std::size_t>(permission)].second;
}

std::optional<Permission> permission_of(std::string_view name) {
  const auto* found = std::find_if(kNames.begin(), kNames.end(), [&](const auto& row) { return row.second == name; });
  if (found == kNames.end()) return std::nullopt;
  return found->first;
}

std::span<const Permission> all_permissions() {
  return kAll;
}

Permissions Permissions::all() {
  Permissions all;
  for (auto permission : kAll) all.add(permission);
  return all;
}

std::vector<std::string> Permissions::names() const {
  std::vector<std::string> names;
  for (const auto& [permission, name] : kNames) {
    if (has(permission)) names.emplace_back(name);
  }
  return names;
}

std::optional<Permissions> system_role(std::string_view name) {
  if (name == "VIEWER") return kViewer;
  if (name == "OPERATOR") return kOperator;
  if (name == "ADMIN") return Permissions::all();
  return std::nullopt;
}

std::span<const std::string_view> system_role_names() {
  return kSystemRoles;
}

}  // namespace cameleer::rbac
