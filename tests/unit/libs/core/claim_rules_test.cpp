#include <cameleer/core/claim_rules.hpp>
#include <catch2/catch.hpp>

using namespace cameleer;
using namespace cameleer::claims;

namespace {

Policy policy() {
  Policy policy;
  policy.roles = {"VIEWER", "OPERATOR", "ADMIN", "AGENT", "Auditor"};
  policy.groups = {"Integration Developers", "Platform Team"};
  return policy;
}

Rule rule(std::string claim, Match match, std::string value, std::string target, Action action = Action::assign_role,
          int priority = 0, std::string id = "rule-1") {
  return {std::move(id), std::move(claim), match, std::move(value), action, std::move(target), priority};
}

Outcome evaluated(std::vector<Rule> rules, std::string_view claims, const Policy& with) {
  auto set = RuleSet::compile(std::move(rules));
  REQUIRE(set.has_value());
  auto outcome = set->evaluate(claims, with);
  REQUIRE(outcome.has_value());
  return std::move(*outcome);
}

std::vector<std::string> names(const std::vector<Assigned>& assigned) {
  std::vector<std::string> all;
  for (const auto& one : assigned) all.push_back(one.name);
  return all;
}

}  // namespace

TEST_CASE("a rule matches what it names, and says why when it does not") {
  struct Row {
    const char* name;
    Rule rule;
    const char* claims;
    Verdict verdict;
  };
  const Row rows[] = {
      {"contains in an array", rule("groups", Match::contains, "admins", "ADMIN"), R"({"groups":["eng","admins"]})",
       Verdict::matched},
      {"contains is no substring", rule("groups", Match::contains, "admin", "ADMIN"), R"({"groups":["admins"]})",
       Verdict::differs},
      {"contains in a list of scopes", rule("scope", Match::contains, "b", "ADMIN"), R"({"scope":"a b c"})",
       Verdict::matched},
      {"contains in a text is no substring", rule("scope", Match::contains, "b", "ADMIN"), R"({"scope":"abc"})",
       Verdict::differs},
      {"equals a text", rule("department", Match::equals, "ops", "OPERATOR"), R"({"department":"ops"})",
       Verdict::matched},
      {"equals heeds case", rule("department", Match::equals, "ops", "OPERATOR"), R"({"department":"Ops"})",
       Verdict::differs},
      {"equals a text with spaces", rule("title", Match::equals, "Team Lead", "OPERATOR"), R"({"title":"Team Lead"})",
       Verdict::matched},
      {"equals an array of one", rule("g", Match::equals, "a", "OPERATOR"), R"({"g":["a"]})", Verdict::matched},
      {"equals no array of two", rule("g", Match::equals, "a", "OPERATOR"), R"({"g":["a","b"]})", Verdict::differs},
      {"equals a number by its text", rule("level", Match::equals, "7", "OPERATOR"), R"({"level":7})",
       Verdict::matched},
      {"equals a boolean by its text", rule("staff", Match::equals, "true", "OPERATOR"), R"({"staff":true})",
       Verdict::matched},
      {"regex over elements", rule("groups", Match::regex, "cameleer-.+", "ADMIN"),
       R"({"groups":["x","cameleer-ops"]})", Verdict::matched},
      {"regex matches as a whole", rule("groups", Match::regex, "admin", "ADMIN"), R"({"groups":["not-admin-at-all"]})",
       Verdict::differs},
      {"regex over a text with spaces", rule("title", Match::regex, "Team .*", "ADMIN"), R"({"title":"Team Lead"})",
       Verdict::matched},
      {"a nested claim", rule("realm_access.roles", Match::contains, "x", "ADMIN"),
       R"({"realm_access":{"roles":["x"]}})", Verdict::matched},
      {"a name with dots", rule("https://acme.example/roles", Match::contains, "x", "ADMIN"),
       R"({"https://acme.example/roles":["x"]})", Verdict::matched},
      {"a name with dots in the middle", rule("resource.my.app.roles", Match::contains, "x", "ADMIN"),
       R"({"resource":{"my.app":{"roles":["x"]}}})", Verdict::matched},
      {"the whole name wins", rule("a.b", Match::equals, "1", "ADMIN"), R"({"a":{"b":"2"},"a.b":"1"})",
       Verdict::matched},
      {"absent", rule("groups", Match::contains, "x", "ADMIN"), R"({"sub":"1"})", Verdict::claim_absent},
      {"null", rule("groups", Match::contains, "x", "ADMIN"), R"({"groups":null})", Verdict::claim_absent},
      {"an empty array", rule("groups", Match::contains, "x", "ADMIN"), R"({"groups":[]})", Verdict::differs},
      {"an empty text", rule("groups", Match::regex, "x", "ADMIN"), R"({"groups":""})", Verdict::differs},
      {"a path through a text", rule("groups.x", Match::contains, "x", "ADMIN"), R"({"groups":"x"})",
       Verdict::claim_absent},
      {"an object", rule("groups", Match::contains, "x", "ADMIN"), R"({"groups":{"x":1}})", Verdict::not_comparable},
      {"an array with an object", rule("groups", Match::contains, "x", "ADMIN"), R"({"groups":["x",{}]})",
       Verdict::not_comparable},
      {"overage by reference", rule("groups", Match::contains, "x", "ADMIN"), R"({"_claim_names":{"groups":"src1"}})",
       Verdict::left_out},
      {"overage by Entra's flag", rule("groups", Match::contains, "x", "ADMIN"), R"({"hasgroups":true})",
       Verdict::left_out},
      {"another claim than the one left out", rule("roles", Match::contains, "x", "ADMIN"), R"({"hasgroups":true})",
       Verdict::claim_absent},
      {"a role that does not exist", rule("g", Match::contains, "x", "Chief"), R"({"g":["x"]})",
       Verdict::unknown_target},
      {"a group that does not exist", rule("g", Match::contains, "x", "Nobodies", Action::add_to_group),
       R"({"g":["x"]})", Verdict::unknown_target},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    const auto outcome = evaluated({row.rule}, row.claims, policy());
    REQUIRE(outcome.trace.size() == 1);
    INFO(outcome.trace[0].explanation);
    CHECK(name_of(outcome.trace[0].verdict) == name_of(row.verdict));
    CHECK_FALSE(outcome.trace[0].explanation.empty());
    CHECK(outcome.overage == (row.verdict == Verdict::left_out));
    CHECK(outcome.fallback == (row.verdict != Verdict::matched));
  }
}

TEST_CASE("Okta: a group gives a role, a department gives a group") {
  const std::vector rules{
      rule("groups", Match::contains, "cameleer-admins", "ADMIN", Action::assign_role, 0, "r1"),
      rule("department", Match::equals, "platform", "Platform Team", Action::add_to_group, 1, "r2")};
  const auto outcome = evaluated(rules, R"({"groups":["eng","cameleer-admins"],"department":"platform"})", policy());
  CHECK(outcome.roles == std::vector<Assigned>{{"ADMIN", Source::rule, "r1"}});
  CHECK(outcome.groups == std::vector<Assigned>{{"Platform Team", Source::rule, "r2"}});
  CHECK_FALSE(outcome.fallback);
}

TEST_CASE("Azure AD: an application role becomes a role of the server") {
  const auto outcome = evaluated({rule("roles", Match::contains, "CameleerOperator", "OPERATOR")},
                                 R"({"roles":["CameleerOperator"],"jobTitle":"Integration Developer"})", policy());
  CHECK(names(outcome.roles) == std::vector<std::string>{"OPERATOR"});
}

TEST_CASE("of the server's scopes the highest counts, and no other scope gives a role") {
  struct Row {
    const char* scopes;
    const char* role;
  };
  const Row rows[] = {
      {"platform:admin tenant:manage server:admin", "ADMIN"},
      {"server:viewer server:operator", "OPERATOR"},
      {"SERVER:Viewer", "VIEWER"},
      {"platform:admin tenant:manage billing:manage", nullptr},
      {"admin operator viewer ADMIN", nullptr},
      {"xserver:admin server:administrator", nullptr},
      {"", nullptr},
  };
  for (const auto& row : rows) {
    INFO(row.scopes);
    const auto role = role_of_scopes(row.scopes);
    CHECK(role.has_value() == (row.role != nullptr));
    if (role && row.role) CHECK(*role == row.role);
    auto with = policy();
    with.roles_claim = "scope";
    with.default_roles = {};
    const auto outcome = evaluated({}, R"({"scope":")" + std::string(row.scopes) + "\"}", with);
    CHECK(names(outcome.roles) == (row.role ? std::vector<std::string>{row.role} : std::vector<std::string>{}));
  }
}

TEST_CASE("the roles claim gives roles that exist, never the machine's") {
  auto with = policy();
  with.roles_claim = "realm_access.roles";
  const auto outcome =
      evaluated({}, R"({"realm_access":{"roles":["Auditor","AGENT","offline_access","OPERATOR"]}})", with);
  CHECK(names(outcome.roles) == std::vector<std::string>{"Auditor", "OPERATOR"});
  CHECK(outcome.roles[0].source == Source::roles_claim);
}

TEST_CASE("default roles are for those whom nothing gave a role or a group, and strict refuses them") {
  auto with = policy();
  const auto empty = evaluated({}, "{}", with);
  CHECK(empty.fallback);
  CHECK(empty.roles == std::vector<Assigned>{{"VIEWER", Source::fallback, {}}});

  const auto grouped =
      evaluated({rule("d", Match::equals, "p", "Platform Team", Action::add_to_group)}, R"({"d":"p"})", with);
  CHECK_FALSE(grouped.fallback);
  CHECK(grouped.roles.empty());

  with.strict = true;
  const auto refused = evaluated({}, "{}", with);
  CHECK(refused.refused);
  CHECK_FALSE(refused.fallback);
  CHECK(refused.roles.empty());
  CHECK_FALSE(evaluated({}, R"({"scope":"server:viewer"})", with).refused);
}

TEST_CASE("claims that the provider left out matter when a rule or the roles claim reads them") {
  const auto on_groups = rule("groups", Match::contains, "x", "ADMIN");
  const auto on_department = rule("department", Match::contains, "x", "OPERATOR");
  struct Row {
    const char* name;
    std::vector<Rule> rules;
    const char* roles_claim;
    const char* claims;
    const char* left_out;
  };
  const Row rows[] = {
      {"a rule", {on_department, on_groups}, "", R"({"_claim_names":{"groups":"src1"},"department":"x"})", "groups"},
      {"the roles claim", {}, "groups", R"({"hasgroups":true})", "groups"},
      {"the roles claim by reference", {}, "roles", R"({"_claim_names":{"roles":"src1"}})", "roles"},
      {"the rule comes first", {on_groups}, "roles", R"({"_claim_names":{"groups":"a","roles":"a"}})", "groups"},
      {"nothing reads them", {on_department}, "roles", R"({"_claim_names":{"groups":"src1"}})", ""},
      {"they are there", {on_groups}, "groups", R"({"hasgroups":false,"groups":["x"]})", ""},
      {"the flag is about groups alone", {on_department}, "roles", R"({"hasgroups":"true"})", ""},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    auto with = policy();
    with.roles_claim = row.roles_claim;
    const auto outcome = evaluated(row.rules, row.claims, with);
    CHECK(outcome.overage == (row.left_out[0] != '\0'));
    CHECK(outcome.left_out == row.left_out);
  }
}

TEST_CASE("rules are evaluated by priority, then by id, and a role is given once, for its first reason") {
  const std::vector rules{rule("g", Match::contains, "x", "ADMIN", Action::assign_role, 5, "late"),
                          rule("g", Match::contains, "x", "ADMIN", Action::assign_role, 1, "b"),
                          rule("g", Match::contains, "x", "VIEWER", Action::assign_role, 1, "a")};
  const auto outcome = evaluated(rules, R"({"g":"x"})", policy());
  CHECK(outcome.trace[0].rule.id == "a");
  CHECK(outcome.trace[1].rule.id == "b");
  CHECK(outcome.trace[2].rule.id == "late");
  CHECK(outcome.roles == std::vector<Assigned>{{"VIEWER", Source::rule, "a"}, {"ADMIN", Source::rule, "b"}});
}

TEST_CASE("a rule that cannot be kept is refused by the name of its member") {
  const std::string long_text(2'000, 'x');
  struct Row {
    Rule rule;
    const char* member;
  };
  const Row rows[] = {
      {rule("", Match::equals, "x", "ADMIN"), "/claim"},
      {rule(long_text, Match::equals, "x", "ADMIN"), "/claim"},
      {rule("g", Match::equals, "", "ADMIN"), "/value"},
      {rule("g", Match::equals, long_text, "ADMIN"), "/value"},
      {rule("g", Match::regex, "(", "ADMIN"), "/value"},
      {rule("g", Match::regex, "(?=x)", "ADMIN"), "/value"},
      {rule("g", Match::regex, "((a{100}){100}){100}", "ADMIN"), "/value"},
      {rule("g", Match::equals, "x", ""), "/target"},
      {rule("g", Match::equals, "x", "AGENT"), "/target"},
      {rule("g", Match::equals, std::string("a\0b", 3), "ADMIN"), "/value"},
  };
  for (const auto& row : rows) {
    const auto checked = check(row.rule);
    INFO(row.member << " " << (checked ? "" : checked.error().message));
    REQUIRE_FALSE(checked.has_value());
    CHECK(checked.error().member == row.member);
    CHECK_FALSE(RuleSet::compile({row.rule}).has_value());
  }
  CHECK(check(rule("g", Match::regex, "a+", "ADMIN")).has_value());
}

TEST_CASE("claims that are no JSON object are refused, whatever they are") {
  const auto set = RuleSet::compile({rule("g", Match::equals, "x", "ADMIN")});
  const std::string deep(10'000, '[');
  const std::string huge = R"({"g":")" + std::string(300'000, 'x') + "\"}";
  for (const std::string& claims : {std::string(""), std::string("[]"), std::string("7"), std::string("{"), deep, huge,
                                    std::string("{\"g\":\"\xff\"}")}) {
    INFO(claims.substr(0, 40));
    const auto outcome = set->evaluate(claims, policy());
    REQUIRE_FALSE(outcome.has_value());
    CHECK(outcome.error().code == ErrorCode::malformed_body);
  }
}
