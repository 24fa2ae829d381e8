#include <boost/json/array.hpp>
#include <catch2/catch.hpp>

#include "users_on_loop.hpp"

using namespace cameleer;
using test::UsersOnLoop;
using web::Method;

TEST_CASE("effective permissions come directly, by rules and through groups and all their ancestors") {
  UsersOnLoop services;
  services.make_user("ada");
  services.make_role("commander", R"(["send_commands"])");
  services.make_role("auditor", R"(["view_audit"])");
  services.make_group("company", "", R"(["auditor"])");
  services.make_group("department", "company", "[]");
  services.make_group("team", "department", R"(["commander"])");
  const auto token = services.token_of("ada");
  const auto me = [&] { return services.call(Method::get, "/api/v1/auth/me", {}, token).text("permissions"); };
  CHECK(me() == "[]");
  CHECK(services.as_admin(Method::put, "users/ada/groups/team").status == 204);
  CHECK(services.as_admin(Method::put, "users/ada/roles/viewer").status == 204);
  CHECK(me() == R"(["view_observability","view_runtime","send_commands","view_audit"])");
  const auto why = services.as_admin(Method::get, "users/ada/effective?permission=view_audit");
  CHECK(why.text("allowed") == "true");
  CHECK(why.text("/permissions/0/ways") ==
        R"([{"role":"auditor","origin":"direct","groupPath":["team","department","company"]}])");
  const auto all = services.as_admin(Method::get, "users/ada/effective");
  CHECK(all.body.at("permissions").as_array().size() == 4);
  CHECK(services.as_admin(Method::get, "users/ada/effective?permission=fly").text("member") == "permission");
  CHECK(services.as_admin(Method::del, "users/ada/groups/team").status == 204);
  CHECK(me() == R"(["view_observability","view_runtime"])");
  CHECK_FALSE(services.may("ada", "view_audit"));
}

TEST_CASE("giving twice and taking what is not there changes nothing and records nothing") {
  UsersOnLoop services;
  services.make_user("ada");
  for (int i = 0; i < 2; ++i) CHECK(services.as_admin(Method::put, "users/ada/roles/VIEWER").status == 204);
  for (int i = 0; i < 2; ++i) CHECK(services.as_admin(Method::del, "users/ada/roles/VIEWER").status == 204);
  CHECK(services.cell("select string_agg(action || ' ' || (detail ->> 'role'), ', ' order by id) from audit_log where "
                      "category = 'RBAC'") == "assign_role VIEWER, remove_role VIEWER");
  CHECK(services.as_admin(Method::put, "users/ada/roles/nothing").text("code") == "role_not_found");
  CHECK(services.as_admin(Method::put, "users/ada/groups/nothing").text("code") == "group_not_found");
  CHECK(services.as_admin(Method::put, "users/nobody/roles/VIEWER").text("code") == "user_not_found");
  CHECK(services.as_admin(Method::put, "users/ada/roles/AGENT").text("code") == "role_not_found");
}

TEST_CASE("system roles cannot be changed, AGENT cannot be made, custom roles can") {
  UsersOnLoop services;
  struct Row {
    Method method;
    std::string path, body, code;
  };
  const Row rows[] = {
      {Method::put, "roles/ADMIN", R"({"permissions":[]})", "conflict"},
      {Method::put, "roles/viewer", R"({"name":"reader"})", "conflict"},
      {Method::del, "roles/OPERATOR", "", "conflict"},
      {Method::post, "roles", R"({"name":"AGENT"})", "invalid_member"},
      {Method::post, "roles", R"({"name":"agent"})", "invalid_member"},
      {Method::post, "roles", R"({"name":"admin"})", "conflict"},
      {Method::post, "roles", R"({"name":"two words"})", "invalid_member"},
      {Method::post, "roles", R"({"name":"x","permissions":["fly"]})", "invalid_member"},
      {Method::post, "roles", R"({"permissions":[]})", "invalid_member"},
      {Method::get, "roles/nothing", "", "role_not_found"},
      {Method::del, "roles/nothing", "", "role_not_found"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.path, row.body);
    CHECK(services.as_admin(row.method, row.path, row.body).text("code") == row.code);
  }
  services.make_role("reader", R"(["view_runtime","view_audit"])");
  services.make_user("ada");
  services.as_admin(Method::put, "users/ada/roles/reader");
  CHECK(services.may("ada", "view_audit"));
  CHECK(services.as_admin(Method::put, "roles/READER", R"({"name":"watcher","permissions":["view_runtime"]})")
            .text("permissions") == R"(["view_runtime"])");
  CHECK_FALSE(services.may("ada", "view_audit"));
  CHECK(services.as_admin(Method::del, "roles/watcher").status == 204);
  CHECK_FALSE(services.may("ada", "view_runtime"));
  CHECK(services.names_of(services.as_admin(Method::get, "roles").body.at("items")) == "ADMIN,OPERATOR,VIEWER");
}

TEST_CASE("groups nest without a cycle, and stay while groups are below them") {
  UsersOnLoop services;
  services.make_group("a", "", "[]");
  services.make_group("b", "a", "[]");
  services.make_group("c", "b", "[]");
  CHECK(services.as_admin(Method::put, "groups/a", R"({"parentId":"c"})").text("code") == "conflict");
  CHECK(services.as_admin(Method::put, "groups/a", R"({"parentId":"a"})").text("code") == "conflict");
  CHECK(services.as_admin(Method::put, "groups/a", R"({"parentId":"x"})").text("code") == "group_not_found");
  CHECK(services.as_admin(Method::post, "groups", R"({"name":"A"})").text("code") == "conflict");
  CHECK(services.as_admin(Method::post, "groups", R"({"name":"d","roles":["x"]})").text("code") == "role_not_found");
  CHECK(services.as_admin(Method::del, "groups/b").text("code") == "conflict");
  CHECK(services.as_admin(Method::put, "groups/c", R"({"parentId":null,"description":"alone"})")
            .text("parentId")
            .empty());
  CHECK(services.as_admin(Method::del, "groups/b").status == 204);
  CHECK(services.as_admin(Method::put, "groups/a", R"({"parentId":"c"})").status == 200);
  CHECK(services.as_admin(Method::put, "groups/a/roles/VIEWER").status == 204);
  CHECK(services.as_admin(Method::get, "groups/A").text("/roles/0/name") == "VIEWER");
  CHECK(services.as_admin(Method::del, "groups/a/roles/VIEWER").status == 204);
  CHECK(services.names_of(services.as_admin(Method::get, "groups/a").body.at("roles")).empty());
}

TEST_CASE("two moves at once never make a cycle") {
  UsersOnLoop services;
  services.make_group("a", "", "[]");
  services.make_group("b", "", "[]");
  const server::Caller caller{.actor = {.username = "admin"}, .permissions = rbac::Permissions::all(), .session = {}};
  for (int round = 0; round < 5; ++round) {
    std::vector<async::Task<Expected<server::GroupService::Listed>>> moves;
    server::GroupChange under_b, under_a;
    under_b.parent = "b";
    under_a.parent = "a";
    moves.push_back(services.groups->update(caller, "a", under_b));
    moves.push_back(services.groups->update(caller, "b", under_a));
    const auto moved = test::together(services, std::move(moves));
    CHECK(moved[0].has_value() != moved[1].has_value());
    services.cell("update groups set parent_group_id = null");
  }
}

TEST_CASE("nobody gives a permission that they do not have") {
  UsersOnLoop services;
  services.make_user("helpdesk");
  services.make_user("ada");
  services.make_role("people", R"(["manage_users","view_runtime"])");
  services.make_role("stronger", R"(["manage_server"])");
  services.make_group("strong", "", R"(["stronger"])");
  services.make_group("below", "strong", "[]");
  services.as_admin(Method::put, "users/helpdesk/roles/people");
  const auto helpdesk = services.token_of("helpdesk");
  struct Row {
    Method method;
    std::string path, body;
    int status;
  };
  const Row rows[] = {
      {Method::put, "users/ada/roles/ADMIN", "", 403},
      {Method::put, "users/helpdesk/roles/stronger", "", 403},
      {Method::put, "users/ada/groups/strong", "", 403},
      {Method::put, "users/ada/groups/below", "", 403},
      {Method::post, "roles", R"({"name":"mine","permissions":["manage_server"]})", 403},
      {Method::put, "roles/people", R"({"permissions":["manage_users","manage_server"]})", 403},
      {Method::post, "groups", R"({"name":"mine","parentId":"strong"})", 403},
      {Method::post, "groups", R"({"name":"mine","roles":["ADMIN"]})", 403},
      {Method::put, "groups/below", R"({"roles":["stronger"]})", 403},
      {Method::put, "groups/below/roles/ADMIN", "", 403},
      {Method::put, "groups/below", R"({"description":"only words"})", 200},
      {Method::put, "users/ada/roles/people", "", 204},
      {Method::post, "roles", R"({"name":"mine","permissions":["view_runtime"]})", 201},
      {Method::post, "groups", R"({"name":"mine","roles":["mine"]})", 201},
  };
  for (const auto& row : rows) {
    CAPTURE(row.path, row.body);
    CHECK(services.call(row.method, "/api/v1/admin/" + row.path, row.body, helpdesk).status == row.status);
  }
}

TEST_CASE("the last ADMIN cannot be deleted, disabled or demoted") {
  UsersOnLoop services;
  services.make_user("ada");
  const auto code = [&](Method method, const std::string& path, const std::string& body = "") {
    return services.as_admin(method, path, body).text("code");
  };
  CHECK(code(Method::del, "users/admin") == "conflict");
  CHECK(code(Method::put, "users/admin", R"({"enabled":false})") == "conflict");
  CHECK(code(Method::del, "users/admin/roles/ADMIN") == "conflict");
  services.make_group("admins", "", R"(["ADMIN"])");
  CHECK(code(Method::put, "users/ada/groups/admins").empty());
  CHECK(code(Method::del, "users/admin/roles/ADMIN") == "conflict");  // through a group does not count
  CHECK(code(Method::put, "users/ada/roles/ADMIN").empty());
  CHECK(code(Method::put, "users/ada", R"({"enabled":false})").empty());
  CHECK(code(Method::del, "users/admin/roles/ADMIN") == "conflict");  // nor does who is disabled
  CHECK(code(Method::put, "users/ada", R"({"enabled":true})").empty());
  CHECK(code(Method::del, "users/ada").empty());
}

TEST_CASE("of two administrators who demote each other at once one stays") {
  UsersOnLoop services;
  services.make_user("ada");
  using Target = server::AssignmentService::Target;
  const Target role{.kind = server::AssignmentService::Kind::role, .id_or_name = "ADMIN"};
  const server::Caller caller{.actor = {.username = "x"}, .permissions = rbac::Permissions::all(), .session = {}};
  for (int round = 0; round < 5; ++round) {
    for (const auto* user : {"admin", "ada"}) REQUIRE(services.run(services.assignments->give(caller, user, role)));
    std::vector<async::Task<Expected<void>>> demotions;
    demotions.push_back(services.assignments->take(caller, "admin", role));
    demotions.push_back(services.assignments->take(caller, "ada", role));
    demotions.push_back(services.users->remove(caller, "nobody"));
    const auto done = test::together(services, std::move(demotions));
    CHECK(done[0].has_value() != done[1].has_value());
    CHECK(services.cell("select count(*) from user_roles") == "1");
  }
}

TEST_CASE("without manage_users nothing of this opens") {
  UsersOnLoop services;
  services.make_user("ada");
  services.as_admin(Method::put, "users/ada/roles/OPERATOR");
  const auto token = services.token_of("ada");
  for (const auto* path : {"users", "users/ada", "users/ada/effective", "users/ada/sessions", "roles", "groups"}) {
    CAPTURE(path);
    CHECK(services.call(Method::get, "/api/v1/admin/" + std::string(path), {}, token).status == 403);
  }
  CHECK(services.call(Method::put, "/api/v1/admin/users/ada/roles/ADMIN", {}, token).status == 403);
}
