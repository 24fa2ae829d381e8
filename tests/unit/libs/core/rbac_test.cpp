#include <cameleer/core/rbac.hpp>
#include <catch2/catch.hpp>
#include <set>

using namespace cameleer::rbac;

TEST_CASE("every permission has a name that leads back to it") {
  std::set<std::string_view> names;
  for (const auto permission : all_permissions()) {
    CHECK(permission_of(name_of(permission)) == permission);
    CHECK(names.insert(name_of(permission)).second);
    CHECK(Permissions::all().has(permission));
  }
  CHECK_FALSE(permission_of("no_such_permission").has_value());
}

TEST_CASE("a viewer reads, an operator acts too, an administrator may do all") {
  const auto viewer = *system_role("VIEWER"), operator_role = *system_role("OPERATOR"), admin = *system_role("ADMIN");
  CHECK(viewer.has(Permission::view_observability));
  CHECK_FALSE(viewer.has(Permission::send_commands));
  CHECK(operator_role.has(Permission::send_commands));
  CHECK_FALSE(operator_role.has(Permission::manage_users));
  CHECK(admin == Permissions::all());
  CHECK_FALSE(system_role("AGENT").has_value());
}
