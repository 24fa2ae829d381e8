#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

#include "server/claim_mappings/claim_mapping_routes.hpp"
#include "server/claim_mappings/token_claims.hpp"
#include "users_on_loop.hpp"

using namespace cameleer;
using test::UsersOnLoop;
using web::Method;

namespace {

struct Mappings : UsersOnLoop {
  Mappings() {
    mappings.emplace(
        *pool, *auth, *audit, [this] { return now; }, identity::system_random(),
        [this] { return policy_now(&policy); });
    router = web::Router();
    server::add_user_routes(router, *users);
    server::add_assignment_routes(router, *assignments);
    server::add_role_routes(router, *roles);
    server::add_group_routes(router, *groups);
    server::add_claim_mapping_routes(router, *mappings);
    if (auto sealed = router.seal(); !sealed) throw std::runtime_error(sealed.error().message);
  }
  static async::Task<Expected<server::ClaimPolicy>> policy_now(const server::ClaimPolicy* policy) { co_return *policy; }

  static std::string rule(const std::string& claim, const std::string& match, const std::string& value,
                          const std::string& action, const std::string& target, int priority = 0) {
    return fmt::format(
        R"({{"claim":"{}","matchType":"{}","matchValue":"{}","action":"{}","target":"{}","priority":{}}})", claim,
        match, value, action, target, priority);
  }
  std::string add(const std::string& body) {
    const auto made = as_admin(Method::post, "claim-mappings", body);
    if (made.status != 201) throw std::runtime_error(boost::json::serialize(made.body));
    return made.text("id");
  }
  Answer simulate(const std::string& body) { return as_admin(Method::post, "claim-mappings/test", body); }
  /// A user of a provider; the id.
  std::string make_oidc_user(const std::string& name) {
    return cell(
        "insert into users (user_id, username, display_name, source, issuer, subject, created_at) values "
        "(gen_random_uuid(), '" +
        name + "', '" + name + "', 'oidc', 'https://idp', '" + name + "', now()) returning user_id");
  }
  server::AppliedClaims apply(const std::string& user, const std::string& claims) {
    return run(mappings->apply_claims(user, claims, {.username = "login"})).value();
  }
  /// Roles and groups with their origin.
  std::string assigned(const std::string& user) {
    return cell(
        "select coalesce(string_agg(what, ' ' order by what), '') from (select r.name || ':' || origin as what "
        "from user_roles join roles r using (role_id) where user_id = '" +
        user +
        "' union all select g.name || ':' || origin from user_groups join groups g using (group_id) where "
        "user_id = '" +
        user + "') all_of_them");
  }

  server::ClaimPolicy policy;
  std::optional<server::ClaimMappingService> mappings;
};

}  // namespace

TEST_CASE_METHOD(Mappings, "rules are kept in their order, changed, reordered and deleted") {
  const auto second = add(rule("groups", "contains", "ops", "assignRole", "OPERATOR", 20));
  const auto first = add(rule("groups", "contains", "admins", "assignRole", "ADMIN", 10));
  const auto order = [&] {
    std::string ids;
    for (const auto& item : as_admin(Method::get, "claim-mappings").body.at("items").as_array()) {
      ids += std::string(item.at("id").as_string()) + " ";
    }
    return ids;
  };
  CHECK(order() == first + " " + second + " ");
  CHECK(as_admin(Method::put, "claim-mappings/order", R"({"ids":[")" + second + R"(",")" + first + "\"]}").status ==
        200);
  CHECK(order() == second + " " + first + " ");
  CHECK(as_admin(Method::put, "claim-mappings/order", R"({"ids":[")" + second + "\"]}").text("code") == "conflict");
  CHECK(as_admin(Method::put, "claim-mappings/order", R"({"ids":[")" + second + R"(",")" + second + "\"]}")
            .text("code") == "conflict");
  CHECK(as_admin(Method::put, "claim-mappings/order", "{}").text("member") == "/ids");
  CHECK(as_admin(Method::put, "claim-mappings/" + first, rule("dept", "equals", "it", "assignRole", "VIEWER"))
            .text("claim") == "dept");
  CHECK(as_admin(Method::get, "claim-mappings/" + first).text("matchValue") == "it");
  CHECK(as_admin(Method::del, "claim-mappings/" + first).status == 204);
  CHECK(as_admin(Method::get, "claim-mappings/" + first).text("code") == "rule_not_found");
  CHECK(as_admin(Method::del, "claim-mappings/x").text("code") == "rule_not_found");
  CHECK(cell("select string_agg(action, ' ' order by id) from audit_log where category = 'RBAC'") ==
        "create_claim_mapping create_claim_mapping reorder_claim_mappings update_claim_mapping delete_claim_mapping");
}

TEST_CASE_METHOD(Mappings, "a rule that cannot be is refused by its member") {
  const std::pair<std::string, std::string> rows[] = {
      {"{}", "/claim"},
      {R"({"claim":7})", "/claim"},
      {rule("", "equals", "x", "assignRole", "VIEWER"), "/claim"},
      {rule("c", "like", "x", "assignRole", "VIEWER"), "/matchType"},
      {rule("c", "equals", "", "assignRole", "VIEWER"), "/matchValue"},
      {rule("c", "regex", "(", "assignRole", "VIEWER"), "/matchValue"},
      {rule("c", "equals", "x", "makeKing", "VIEWER"), "/action"},
      {rule("c", "equals", "x", "assignRole", "AGENT"), "/target"},
      {rule("c", "equals", "x", "assignRole", "VIEWER", 2'000'000), "/priority"},
  };
  for (const auto& [body, member] : rows) {
    CAPTURE(body);
    const auto answer = as_admin(Method::post, "claim-mappings", body);
    CHECK(answer.status == 400);
    CHECK(answer.text("member") == member);
    CHECK(simulate(R"({"claims":{},"rules":[)" + body + "]}").text("member") == "/rules/0" + member);
  }
  CHECK(as_admin(Method::post, "claim-mappings", "[]").text("code") == "malformed_body");
}

TEST_CASE_METHOD(Mappings, "the simulator says of every rule what it read and why, and what follows") {
  make_group("Integration Developers", "", "[]");
  const auto admins = add(rule("groups", "contains", "cameleer-admins", "assignRole", "ADMIN", 1));
  add(rule("groups", "contains", "integration-team", "addToGroup", "Integration Developers", 2));
  add(rule("department", "equals", "ops", "assignRole", "OPERATOR", 3));
  const auto seen = simulate(R"({"claims":{"groups":["cameleer-admins","integration-team"],"department":"it"}})");
  REQUIRE(seen.status == 200);
  CHECK(seen.text("effectiveRoles") == R"(["ADMIN"])");
  CHECK(seen.text("effectiveGroups") == R"(["Integration Developers"])");
  CHECK(seen.text("fallback") == "false");
  CHECK(seen.text("/rules/0/verdict") == "matched");
  CHECK(seen.text("/rules/2/verdict") == "differs");
  CHECK(seen.text("/rules/2/read") == R"(["it"])");
  CHECK_FALSE(seen.text("/rules/2/explanation").empty());
  CHECK(seen.body.at("matchedRules").as_array().size() == 2);
  CHECK(seen.text("/matchedRules/0/ruleId") == admins);
  CHECK(seen.text("tokenVerified").empty());

  const auto none = simulate(R"({"claims":{"sub":"x"}})");
  CHECK(none.text("effectiveRoles") == R"(["VIEWER"])");
  CHECK(none.text("fallback") == "true");
  policy.strict = true;
  CHECK(simulate(R"({"claims":{"sub":"x"}})").text("refused") == "true");
  CHECK(simulate(R"({"claims":{"_claim_names":{"groups":"src1"}}})").text("overage") == "true");
  const auto unsaved =
      simulate(R"({"claims":{"team":"a"},"rules":[)" + rule("team", "equals", "a", "assignRole", "VIEWER") + "]}");
  CHECK(unsaved.text("effectiveRoles") == R"(["VIEWER"])");
  CHECK(unsaved.body.at("rules").as_array().size() == 1);
  CHECK(cell("select count(*) from claim_mapping_rules") == "3");
}

TEST_CASE_METHOD(Mappings, "a pasted token is decoded and said to be unverified") {
  const auto token =
      identity::base64url(R"({"alg":"none"})") + "." + identity::base64url(R"({"roles":["OPERATOR"]})") + ".";
  const auto seen = simulate(R"({"token":")" + token + "\"}");
  CHECK(seen.text("effectiveRoles") == R"(["OPERATOR"])");
  CHECK(seen.text("tokenVerified") == "false");
  const std::pair<std::string, std::string> rows[] = {
      {R"({"token":"abc"})", "/token"},
      {R"({"token":"a.b.c.d.e"})", "/token"},
      {R"({"token":"a.=.c"})", "/token"},
      {R"({"token":"a.b.c","claims":{}})", "/token"},
      {R"({})", "/claims"},
      {R"({"claims":[]})", "/claims"},
      {R"({"claims":{},"rules":{}})", "/rules"},
  };
  for (const auto& [body, member] : rows) {
    CAPTURE(body);
    CHECK(simulate(body).text("member") == member);
  }
  CHECK(simulate(R"({"token":"a.)" + identity::base64url("[]") + ".c\"}").text("code") == "malformed_body");
}

TEST_CASE_METHOD(Mappings, "the difference from today is told by names") {
  const auto ada = make_oidc_user("ada");
  CHECK(simulate(R"({"userId":"ada"})").text("code") == "conflict");
  CHECK(simulate(R"({"userId":"nobody"})").text("code") == "user_not_found");
  apply(ada, R"({"roles":["OPERATOR"]})");
  CHECK(simulate(R"({"userId":"ADA"})").text("/difference/roles") == R"({"added":[],"removed":[]})");
  const auto other = simulate(R"({"userId":"ada","claims":{"roles":["ADMIN"]}})");
  CHECK(other.text("/difference/roles") == R"({"added":["ADMIN"],"removed":["OPERATOR"]})");
  // The same role by a rule is no difference to a person.
  add(rule("roles", "contains", "OPERATOR", "assignRole", "OPERATOR"));
  CHECK(simulate(R"({"userId":"ada"})").text("/difference/roles") == R"({"added":[],"removed":[]})");
  CHECK(assigned(ada) == "OPERATOR:managed");
}

TEST_CASE_METHOD(Mappings, "a login writes the difference alone, and records only what changed") {
  make_group("team", "", R"(["OPERATOR"])");
  const auto rule_id = add(rule("groups", "contains", "t", "addToGroup", "team"));
  const auto ada = make_oidc_user("ada");
  as_admin(Method::put, "users/ada/roles/VIEWER");
  CHECK(apply(ada, R"({"groups":["t"],"roles":["ADMIN"]})").changed);
  CHECK(assigned(ada) == "ADMIN:managed VIEWER:direct team:managed");
  CHECK(cell("select mapping_id from user_groups") == rule_id);
  CHECK_FALSE(apply(ada, R"({"groups":["t"],"roles":["ADMIN"]})").changed);
  CHECK(apply(ada, R"({"groups":["t"]})").changed);
  CHECK(assigned(ada) == "VIEWER:direct team:managed");
  CHECK(may("ada", "deploy_apps"));
  CHECK(cell("select count(*) from audit_log where action = 'apply_claim_mappings' and username = 'login'") == "2");
  CHECK(cell("select last_claims from users where username = 'ada'") == R"({"groups":["t"]})");
  CHECK(as_admin(Method::del, "claim-mappings/" + rule_id).status == 204);  // what it gave ends with it
  CHECK(assigned(ada) == "VIEWER:direct");
  policy.strict = true;
  CHECK(run(mappings->apply_claims(ada, "{}", {})).error().code == ErrorCode::forbidden);
  CHECK(run(mappings->apply_claims(ada, "[]", {})).error().code == ErrorCode::malformed_body);
}

TEST_CASE_METHOD(Mappings, "groups that were left out change nothing, and the simulator says what helps") {
  add(rule("groups", "contains", "t", "assignRole", "ADMIN"));
  const auto ada = make_oidc_user("ada");
  apply(ada, R"({"groups":["t"]})");
  const std::string left_out = R"({"_claim_names":{"groups":"src1"}})";
  CHECK(run(mappings->apply_claims(ada, left_out, {})).error().code == ErrorCode::group_overage);
  CHECK(assigned(ada) == "ADMIN:managed");
  CHECK(cell("select last_claims from users where username = 'ada'") == R"({"groups":["t"]})");
  CHECK(run(mappings->check_claims(left_out)).error().code == ErrorCode::group_overage);
  CHECK(run(mappings->check_claims("{}")).has_value());
  const auto seen = simulate(R"({"claims":)" + left_out + "}");
  CHECK(seen.text("/refusal/code") == "group_overage");
  CHECK(seen.text("/refusal/message").find("'groups'") != std::string::npos);
  CHECK(simulate(R"({"claims":{}})").text("/refusal/code").empty());
  policy.strict = true;
  CHECK(run(mappings->check_claims("{}")).error().code == ErrorCode::forbidden);
  CHECK(simulate(R"({"claims":{}})").text("/refusal/code") == "forbidden");
}

TEST_CASE_METHOD(Mappings, "a hundred logins of one user at once end as the last one, and touch nothing direct") {
  make_group("even", "", "[]");
  make_group("odd", "", "[]");
  add(rule("n", "regex", "[0-9]*[02468]", "addToGroup", "even"));
  add(rule("n", "regex", "[0-9]*[13579]", "addToGroup", "odd"));
  add(rule("n", "regex", ".*[05]", "assignRole", "OPERATOR"));
  const auto ada = make_oidc_user("ada");
  as_admin(Method::put, "users/ada/roles/VIEWER");
  as_admin(Method::put, "users/ada/groups/even");
  std::vector<async::Task<Expected<server::AppliedClaims>>> logins;
  for (int i = 0; i < 100; ++i) logins.push_back(mappings->apply_claims(ada, fmt::format(R"({{"n":"{}"}})", i), {}));
  for (const auto& login : test::together(*this, std::move(logins))) {
    CHECK(login.has_value());
  }
  const auto last = cell("select last_claims::jsonb ->> 'n' from users where username = 'ada'");
  const int n = std::stoi(last);
  std::string expected =
      n % 2 == 0 ? "VIEWER:direct even:direct even:managed" : "VIEWER:direct even:direct odd:managed";
  if (n % 5 == 0) expected = "OPERATOR:managed " + expected;
  CHECK(assigned(ada) == expected);
}

TEST_CASE_METHOD(Mappings, "logins, and administrators who take roles and groups away, do not hinder each other") {
  make_group("team", "", "[]");
  make_role("extra", R"(["view_audit"])");
  const auto ada = make_oidc_user("ada");
  add(rule("groups", "contains", "t", "addToGroup", "team"));
  add(rule("groups", "contains", "t", "assignRole", "extra"));
  const server::Caller caller{.actor = {.username = "admin"}, .permissions = rbac::Permissions::all(), .session = {}};
  std::vector<async::Task<Expected<void>>> all;
  const auto login = [](server::ClaimMappingService* service, std::string user,
                        std::string claims) -> async::Task<Expected<void>> {
    auto applied = co_await service->apply_claims(std::move(user), std::move(claims), {});
    if (!applied) co_return std::unexpected(applied.error());
    co_return Expected<void>{};
  };
  for (int i = 0; i < 20; ++i) {
    all.push_back(login(&*mappings, ada, i % 2 == 0 ? R"({"groups":"t"})" : "{}"));
    if (i == 8) all.push_back(roles->remove(caller, "extra"));
    if (i == 12) all.push_back(groups->remove(caller, "team"));
  }
  for (const auto& done : test::together(*this, std::move(all))) CHECK(done.has_value());
  CHECK(cell("select count(*) from user_groups") == "0");
}

TEST_CASE_METHOD(Mappings, "nobody promises by a rule what they do not have") {
  make_user("keeper");
  make_role("server-keeper", R"(["manage_server"])");
  as_admin(Method::put, "users/keeper/roles/server-keeper");
  const auto keeper = token_of("keeper");
  const auto status = [&](const std::string& target) {
    return call(Method::post, "/api/v1/admin/claim-mappings", rule("c", "equals", "x", "assignRole", target), keeper)
        .status;
  };
  CHECK(status("ADMIN") == 403);
  CHECK(status("server-keeper") == 201);
  CHECK(status("not-made-yet") == 201);
}

TEST_CASE_METHOD(Mappings, "how it scales: from a few local users to claims that lead to groups") {
  SECTION("small, local: users are made and get roles by hand") {
    make_user("ada");
    as_admin(Method::put, "users/ada/roles/OPERATOR");
    CHECK(may("ada", "deploy_apps"));
    CHECK_FALSE(may("ada", "manage_users"));
  }
  SECTION("small with a provider: VIEWER by default, key people are promoted and stay so") {
    const auto ada = make_oidc_user("ada");
    CHECK(apply(ada, R"({"sub":"ada"})").outcome.fallback);
    as_admin(Method::put, "users/ada/roles/ADMIN");
    apply(ada, R"({"sub":"ada"})");
    CHECK(assigned(ada) == "ADMIN:direct VIEWER:managed");
  }
  SECTION("medium: a few rules to roles, exceptions by hand") {
    add(rule("groups", "contains", "admins", "assignRole", "ADMIN", 1));
    add(rule("groups", "contains", "devs", "assignRole", "OPERATOR", 2));
    add(rule("groups", "contains", "staff", "assignRole", "VIEWER", 3));
    const auto ada = make_oidc_user("ada"), bob = make_oidc_user("bob");
    apply(ada, R"({"groups":["devs","staff"]})");
    apply(bob, R"({"groups":["staff"]})");
    as_admin(Method::put, "users/bob/roles/OPERATOR");
    apply(bob, R"({"groups":["staff"]})");
    CHECK(assigned(ada) == "OPERATOR:managed VIEWER:managed");
    CHECK(assigned(bob) == "OPERATOR:direct VIEWER:managed");
  }
  SECTION("large: the provider's groups lead to groups here, which have the roles") {
    make_group("Engineering", "", R"(["VIEWER"])");
    make_group("Integration", "Engineering", R"(["OPERATOR"])");
    add(rule("groups", "contains", "idp-integration", "addToGroup", "Integration"));
    const auto ada = make_oidc_user("ada");
    apply(ada, R"({"groups":["idp-integration"]})");
    CHECK(may("ada", "deploy_apps"));
    apply(ada, R"({"groups":[]})");
    CHECK_FALSE(may("ada", "deploy_apps"));
    CHECK(may("ada", "view_runtime"));  // the default again
  }
  SECTION("as a service: the plane's scopes are the roles") {
    policy.roles_claim = "scope";
    const auto ada = make_oidc_user("ada");
    apply(ada, R"({"scope":"openid server:operator server:viewer"})");
    CHECK(assigned(ada) == "OPERATOR:managed");
  }
}
