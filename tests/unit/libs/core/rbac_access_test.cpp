#include <cameleer/core/rbac_access.hpp>
#include <catch2/catch.hpp>

using namespace cameleer::rbac;

namespace {

Directory company() {
  Directory directory;
  const auto role = [&](const char* id, Permissions permissions) {
    directory.roles.emplace(id, Role{.id = id, .name = id, .permissions = permissions});
  };
  role("viewer", *system_role("VIEWER"));
  role("operator", *system_role("OPERATOR"));
  role("auditor", {Permission::view_audit});
  const auto group = [&](const char* id, std::optional<std::string> parent, std::vector<std::string> roles) {
    directory.groups.emplace(id,
                             Group{.id = id, .name = id, .parent_id = std::move(parent), .role_ids = std::move(roles)});
  };
  group("everybody", std::nullopt, {"viewer"});
  group("integration", "everybody", {"operator"});
  group("orders-team", "integration", {});
  return directory;
}

Assignment direct(const char* id) {
  return {.target_id = id, .origin = Origin::direct, .mapping_id = {}};
}
Assignment managed(const char* id, const char* rule) {
  return {.target_id = id, .origin = Origin::managed, .mapping_id = rule};
}

}  // namespace

TEST_CASE("permissions are the union of direct and managed roles and of those of all groups above") {
  const auto directory = company();
  struct Row {
    const char* name;
    std::vector<Assignment> roles, memberships;
    Permissions expected;
    std::size_t ways;
  };
  const Row rows[] = {
      {"nothing", {}, {}, {}, 0},
      {"a direct role", {direct("viewer")}, {}, *system_role("VIEWER"), 1},
      {"a role twice, by hand and by rule", {direct("viewer"), managed("viewer", "r1")}, {}, *system_role("VIEWER"), 2},
      {"a nested group", {}, {direct("orders-team")}, *system_role("OPERATOR"), 2},
      {"the group at the top", {}, {managed("everybody", "r2")}, *system_role("VIEWER"), 1},
      {"roles and groups that do not exist", {direct("gone")}, {direct("gone too")}, {}, 0},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    const auto result = effective(directory, row.roles, row.memberships);
    CHECK(result.permissions == row.expected);
    CHECK(result.grants.size() == row.ways);
  }
}

TEST_CASE("each grant says through which groups and by whose doing it came") {
  const auto directory = company();
  const auto result =
      effective(directory, std::vector{direct("auditor")}, std::vector{managed("orders-team", "rule-7")});
  const auto why = result.why(Permission::send_commands, directory);
  REQUIRE(why.size() == 1);
  CHECK(why[0].role_id == "operator");
  CHECK(why[0].group_path == std::vector<std::string>{"orders-team", "integration"});
  CHECK(why[0].assignment == managed("orders-team", "rule-7"));
  CHECK(result.why(Permission::view_runtime, directory).size() == 2);
  CHECK(result.why(Permission::view_audit, directory).front().group_path.empty());
  CHECK(result.why(Permission::manage_users, directory).empty());
}

TEST_CASE("a group below itself is found out, and one stored all the same ends no loop") {
  auto directory = company();
  CHECK(would_cycle(directory, "everybody", "everybody"));
  CHECK(would_cycle(directory, "everybody", "orders-team"));
  CHECK_FALSE(would_cycle(directory, "orders-team", "everybody"));
  CHECK_FALSE(would_cycle(directory, "new", "orders-team"));
  directory.groups.at("everybody").parent_id = "orders-team";
  const auto result = effective(directory, {}, std::vector{direct("integration")});
  CHECK(result.permissions == *system_role("OPERATOR"));
  CHECK(would_cycle(directory, "integration", "orders-team"));
}

TEST_CASE("a login writes the difference of the managed rows and nothing else") {
  const std::vector present{direct("viewer"), managed("operator", "r1"), managed("auditor", "r2")};
  const std::vector wanted{managed("auditor", "r2"), managed("viewer", "r3")};
  const auto difference = managed_difference(present, wanted);
  CHECK(difference.add == std::vector{managed("viewer", "r3")});
  CHECK(difference.remove == std::vector{managed("operator", "r1")});
  CHECK(managed_difference(present, present).empty());
  CHECK(managed_difference(std::vector{direct("viewer")}, {}).empty());
}
