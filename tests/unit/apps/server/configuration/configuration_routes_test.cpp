#include <catch2/catch.hpp>

#include "configuration_fixture.hpp"

using namespace cameleer;
using test::ConfigurationFixture;
using test::member;

namespace {

const std::string kPath = "/api/v1/environments/default/apps/orders/config";
const std::string kKeys = "/api/v1/admin/sensitive-keys";

struct Fixture : ConfigurationFixture {
  std::string admin = token_of_role("ADMIN");
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a configuration is written and read back, and says how many agents were told") {
  CHECK(member(get(kPath, admin), "version") == "0");
  const auto written = put(kPath, R"({"engineLevel":"MINIMAL","sensitiveKeys":["pin"]})", admin);
  CHECK(written.status == 200);
  CHECK(member(written, "version") == "1");
  CHECK(member(written, "pushed") == "2");
  CHECK(member(written, "updatedBy") == "admin");
  const auto read = get(kPath, admin);
  CHECK(member(read, "engineLevel") == "MINIMAL");
  CHECK(member(read, "mergedSensitiveKeys").ends_with(R"("pin"])"));
  CHECK(member(read, "pushed").empty());
}

TEST_CASE_METHOD(Fixture, "an agent reads what was applied for its application, and starts with what was stored last") {
  const auto agent = register_agent("a1", "orders");
  const auto other = register_agent("a2", "billing");
  const auto elsewhere = register_agent("a1", "orders", "staging");
  const auto config_of = [&](const std::string& token) { return get("/api/v1/agents/config", token); };
  CHECK(member(config_of(agent), "version") == "0");
  CHECK(write(R"({"engineLevel":"MINIMAL"})", server::ConfigurationService::Apply::live) == "1");
  CHECK(write(R"({"engineLevel":"NONE"})", server::ConfigurationService::Apply::staged) == "2");
  CHECK(member(config_of(agent), "engineLevel") == "MINIMAL");
  CHECK(member(config_of(agent), "version") == "1");
  CHECK(member(config_of(other), "version") == "0");
  CHECK(member(config_of(elsewhere), "version") == "0");
  CHECK(member(config_of(elsewhere), "environment") == "staging");
  CHECK(config_of(admin).status == 401);
  const auto registered =
      post("/api/v1/agents/register", R"({"agentId":"a3","application":"orders","environmentId":"default"})", api_key);
  const auto config = member(registered, "config");
  CHECK(config.find(R"("version":2)") != std::string::npos);
  CHECK(config.find(R"("engineLevel":"NONE")") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "what is wrong is refused by name and stores nothing") {
  struct Row {
    std::string path, body;
    int status;
    std::string code, member;
  };
  const std::string nul("/api/v1/environments/default/apps/a\0b/config", 44);
  const Row rows[] = {
      {kPath, "", 400, "malformed_body", ""},
      {kPath, "[]", 400, "malformed_body", ""},
      {kPath, R"({"engineLevel":"ALL"})", 400, "invalid_member", "/engineLevel"},
      {kPath, R"({"taps":[{"tapId":7}]})", 400, "invalid_member", "/taps/0/tapId"},
      {"/api/v1/environments/nowhere/apps/orders/config", "{}", 404, "environment_not_found", "environment"},
      {"/api/v1/environments/default/apps/" + std::string(257, 'a') + "/config", "{}", 400, "invalid_parameter",
       "application"},
      {nul, "{}", 400, "invalid_parameter", "application"},
      {kKeys, "{}", 400, "invalid_member", "/keys"},
      {kKeys, R"({"keys":["pin",7]})", 400, "invalid_member", "/keys/1"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.path, row.body);
    const auto answer = put(row.path, row.body, admin);
    CHECK(answer.status == row.status);
    CHECK(member(answer, "code") == row.code);
    CHECK(member(answer, "member") == row.member);
  }
  CHECK(get("/api/v1/environments/nowhere/apps/orders/config", admin).status == 404);
  CHECK(cell("select count(*) from application_configs") == "0");
  CHECK(cell("select count(*) from server_config where key = 'sensitive_keys'") == "0");
}

TEST_CASE_METHOD(Fixture, "global keys are written and read by those who manage the server") {
  CHECK(member(get(kKeys, admin), "keys") == "[]");
  CHECK(put(kKeys, R"({"keys":["pin","*token"]})", admin).status == 200);
  CHECK(member(get(kKeys, admin), "keys") == R"(["pin","*token"])");
  CHECK(member(get(kKeys, admin), "defaultKeys").starts_with(R"(["Authorization")"));
  CHECK(pushed.empty());
}

TEST_CASE_METHOD(Fixture, "each role may what its permissions say") {
  struct Row {
    std::string role;
    int read, write, keys, key_list;
  };
  const Row rows[] = {
      {"VIEWER", 200, 403, 403, 403},
      {"OPERATOR", 200, 200, 403, 403},
      {"ADMIN", 200, 200, 200, 200},
  };
  for (const auto& row : rows) {
    CAPTURE(row.role);
    const auto token = token_of_role(row.role);
    CHECK(get(kPath, token).status == row.read);
    CHECK(put(kPath, "{}", token).status == row.write);
    CHECK(get(kKeys, token).status == row.keys);
    CHECK(put(kKeys, R"({"keys":[]})", token).status == row.keys);
    CHECK(get("/api/v1/admin/environments/default/api-keys", token).status == row.key_list);
    CHECK(post("/api/v1/admin/environments/default/api-keys", R"({"label":"x"})", token).status ==
          (row.key_list == 200 ? 201 : 403));
  }
  CHECK(get(kPath).status == 401);
}
