#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

#include "services_on_loop.hpp"

using namespace cameleer;
using namespace std::chrono_literals;
using test::header;
using test::member;
using test::ServicesOnLoop;

namespace {

const std::string kAll = "/api/v1/admin/environments";

struct Fixture : ServicesOnLoop {
  Fixture() {
    make_admin();
    admin = run(auth->issue_tokens("admin", std::string(test::kPassword), "a")).value().access;
  }
  std::string first = run(environments->ensure_first()).value().value();
  std::string admin;

  web::Response create(const std::string& body) { return post(kAll, body, admin); }
  web::Response put(const std::string& slug, std::string body) {
    return send(web::Method::put, kAll + "/" + slug, std::move(body), {{"Authorization", "Bearer " + admin}});
  }
  web::Response remove(const std::string& slug, const std::string& query) {
    return send(web::Method::del, kAll + "/" + slug + query, {}, {{"Authorization", "Bearer " + admin}});
  }
  web::Response remove(const std::string& slug) { return remove(slug, "?confirm=" + slug); }
  std::string secret_of(const web::Response& created) {
    return std::string(boost::json::parse(created.body).at("apiKey").at("secret").as_string());
  }
  web::Response register_agent(const std::string& secret, const std::string& environment) {
    return post("/api/v1/agents/register",
                R"({"agentId":"a1","application":"orders","environmentId":")" + environment + R"("})", secret);
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "an environment is made with its first key, shown and listed") {
  const auto made = create(
      R"({"slug":"staging","displayName":"Staging","executionRetentionDays":14,"logRetentionDays":null,"jarRetentionCount":5})");
  REQUIRE(made.status == 201);
  CHECK(header(made, "Cache-Control") == "no-store");
  CHECK(member(made, "slug") == "staging");
  CHECK(member(made, "executionRetentionDays") == "14");
  CHECK(member(made, "logRetentionDays").empty());
  CHECK(member(made, "createdAt") == format_instant(now));
  CHECK(run(environments->owner_of(secret_of(made))).value()->environment == "staging");

  const auto shown = get(kAll + "/staging", admin);
  REQUIRE(shown.status == 200);
  CHECK(member(shown, "jarRetentionCount") == "5");
  CHECK(member(shown, "apiKey").empty());
  const auto all = boost::json::parse(get(kAll, admin).body).at("items").as_array();
  REQUIRE(all.size() == 2);
  CHECK(all[1].at("displayName").as_string() == "Staging");
  const auto brief = boost::json::parse(get("/api/v1/environments", admin).body).at("items").as_array();
  CHECK(brief[1].as_object().size() == 2);
  CHECK(member(create(R"({"slug":"plain"})"), "displayName") == "plain");
}

TEST_CASE_METHOD(Fixture, "a wrong environment is refused by the name of its member") {
  struct Row {
    std::string body;
    int status;
    std::string member;
  };
  const Row rows[] = {
      {"", 400, ""},
      {"[]", 400, ""},
      {"{}", 400, "/slug"},
      {R"({"slug":null})", 400, "/slug"},
      {R"({"slug":7})", 400, "/slug"},
      {R"({"slug":""})", 400, "/slug"},
      {R"({"slug":"-a"})", 400, "/slug"},
      {R"({"slug":"a-"})", 400, "/slug"},
      {R"({"slug":"A"})", 400, "/slug"},
      {R"({"slug":"a_b"})", 400, "/slug"},
      {R"({"slug":"a~b"})", 400, "/slug"},
      {R"({"slug":"aé"})", 400, "/slug"},
      {R"({"slug":")" + std::string(41, 'a') + "\"}", 400, "/slug"},
      {R"({"slug":"a","displayName":" "})", 400, "/displayName"},
      {R"({"slug":"a","displayName":"a\u0000b"})", 400, "/displayName"},
      {R"({"slug":"a","displayName":")" + std::string(257, 'x') + "\"}", 400, "/displayName"},
      {R"({"slug":"a","executionRetentionDays":0})", 400, "/executionRetentionDays"},
      {R"({"slug":"a","logRetentionDays":36501})", 400, "/logRetentionDays"},
      {R"({"slug":"a","metricRetentionDays":1.5})", 400, "/metricRetentionDays"},
      {R"({"slug":"a","jarRetentionCount":"3"})", 400, "/jarRetentionCount"},
      {R"({"slug":"default"})", 409, "/slug"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.body);
    const auto answer = create(row.body);
    CHECK(answer.status == row.status);
    CHECK(member(answer, "member") == row.member);
  }
  CHECK(cell("select count(*) from environments") == "1");
  for (const auto& slug : {std::string("a"), std::string("1"), std::string("a-b"), std::string(40, 'z')}) {
    CAPTURE(slug);
    CHECK(create(R"({"slug":")" + slug + "\"}").status == 201);
  }
}

TEST_CASE_METHOD(Fixture, "a change leaves out what it does not name, and never the slug") {
  create(R"({"slug":"staging","displayName":"Staging","executionRetentionDays":14,"logRetentionDays":7})");
  const auto changed = put("staging", R"({"slug":"other","displayName":"Stage","logRetentionDays":null})");
  REQUIRE(changed.status == 200);
  CHECK(member(changed, "slug") == "staging");
  CHECK(member(changed, "displayName") == "Stage");
  CHECK(member(changed, "executionRetentionDays") == "14");
  CHECK(member(changed, "logRetentionDays").empty());
  CHECK(get(kAll + "/staging", admin).body == changed.body);
  CHECK(put("staging", "{}").body == changed.body);
  CHECK(put("staging", R"({"executionRetentionDays":0})").status == 400);
  CHECK(member(put("nowhere", "{}"), "code") == "environment_not_found");
  CHECK(member(get(kAll + "/nowhere", admin), "code") == "environment_not_found");
  const std::string where = "from audit_log where action = 'update_environment' order by id limit 1";
  CHECK(cell("select detail->'before'->>'displayName' " + where) == "Staging");
  CHECK(cell("select detail->'after'->>'displayName' " + where) == "Stage");
}

TEST_CASE_METHOD(Fixture, "an environment is deleted only by who repeats its name, and never the last") {
  create(R"({"slug":"staging"})");
  for (const std::string query : {"", "?confirm=", "?confirm=default", "?confirm=STAGING", "?force=staging"}) {
    CAPTURE(query);
    const auto refused = remove("staging", query);
    CHECK(refused.status == 400);
    CHECK(member(refused, "member") == "confirm");
  }
  CHECK(remove("staging").status == 204);
  CHECK(member(remove("staging"), "code") == "environment_not_found");
  CHECK(get(kAll + "/staging", admin).status == 404);
  const auto last = remove("default");
  CHECK(last.status == 409);
  CHECK(cell("select count(*) from environments") == "1");
  // Another one made, the first may go; and it does not come back at the next start.
  create(R"({"slug":"prod"})");
  CHECK(remove("default").status == 204);
  restart();
  CHECK_FALSE(run(environments->ensure_first()).value());
  CHECK(cell("select string_agg(slug, ',') from environments") == "prod");
}

TEST_CASE_METHOD(Fixture, "what belongs to an environment goes with it, and nothing else does") {
  const auto secret = secret_of(create(R"({"slug":"staging","displayName":"Staging"})"));
  const auto registered = register_agent(secret, "staging");
  const auto access = member(registered, "accessToken"), refresh = member(registered, "refreshToken");
  const auto other = member(register_agent(first, "default"), "accessToken");
  const auto key = cell("select id from api_keys where label = 'initial'");
  cell(
      "insert into application_configs (environment, application, config, version, tap_version, updated_at, "
      "updated_by) select slug, 'orders', '{}', 1, 0, now(), 'x' from environments");
  cell(
      "insert into agent_commands (command_id, environment, agent_id, application, type, state, payload, signature, "
      "key_id, issued_by, issued_at, expires_at) select gen_random_uuid(), slug, 'a1', 'orders', 'replay', 'PENDING', "
      "'', '', '', 'x', now(), now() from environments");
  cell("insert into agent_streams select slug, 'a1', 1, gen_random_uuid(), now() from environments");
  CHECK(post("/api/v1/agents/a1/heartbeat", "", access).status == 200);
  REQUIRE(remove("staging").status == 204);

  CHECK(post("/api/v1/agents/a1/heartbeat", "", access).status == 401);
  CHECK(post("/api/v1/agents/a1/refresh", "", refresh).status == 401);
  CHECK(register_agent(secret, "staging").status == 401);
  CHECK(run(environments->uncounted_keys({key})).value() == std::vector<std::string>{key});
  CHECK(post("/api/v1/agents/a1/heartbeat", "", other).status == 200);
  REQUIRE(run(agents->write_heartbeats()));
  for (const std::string table :
       {"agents", "agent_commands", "agent_streams", "application_configs", "agent_events",
        "refresh_tokens where agent_id is not null and environment is not null", "api_keys"}) {
    CAPTURE(table);
    CHECK(cell("select count(*) from " + table) == "1");
  }
  const std::string rows = "from audit_log where action = 'delete_environment'";
  CHECK(cell("select target " + rows) == "staging");
  CHECK(cell("select detail->'before'->>'displayName' " + rows) == "Staging");
  CHECK(cell("select detail->'before'->'rows'->>'agents' " + rows) == "1");
  CHECK(cell("select detail->'before'->'rows'->>'apiKeys' " + rows) == "1");
  CHECK(cell("select detail->'before'->'rows'->>'configurations' " + rows) == "1");
}

TEST_CASE_METHOD(Fixture, "an environment of a name that is gone is another one, and its telemetry has another name") {
  const auto old = run(environments->create("staging", {})).value();
  CHECK(old.environment.data_name == "staging");
  const auto token = member(register_agent(old.key.secret, "staging"), "accessToken");
  REQUIRE(run(environments->remove("staging")));
  const auto second = run(environments->create("staging", {})).value();
  CHECK(second.environment.id != old.environment.id);
  CHECK(second.environment.data_name == "staging~" + second.environment.id);
  CHECK(run(environments->find("staging"))->data_name == second.environment.data_name);
  CHECK(run(environments->owner_of(second.key.secret)).value()->data_name == second.environment.data_name);
  CHECK(post("/api/v1/agents/a1/heartbeat", "", token).status == 401);
  CHECK(register_agent(old.key.secret, "staging").status == 401);
  REQUIRE(run(environments->remove("staging")));
  CHECK(run(environments->create("staging", {}))->environment.data_name != second.environment.data_name);
  CHECK(cell("select count(*) from removed_environments") == "2");
}

TEST_CASE_METHOD(Fixture, "tokens of the bootstrap token end with the environment that they were given for") {
  create(R"({"slug":"other"})");
  const auto registered = register_agent("bootstrap-secret", "default");
  REQUIRE(registered.status == 200);
  const auto ref = cell("select key_ref from agents");
  CHECK(post("/api/v1/agents/a1/heartbeat", "", member(registered, "accessToken")).status == 200);
  CHECK(run(environments->uncounted_keys({ref})).value().empty());
  REQUIRE(remove("default").status == 204);
  CHECK(register_agent("bootstrap-secret", "default").status == 404);
  CHECK(run(environments->uncounted_keys({ref})).value() == std::vector<std::string>{ref});
  create(R"({"slug":"default"})");
  CHECK(post("/api/v1/agents/a1/heartbeat", "", member(registered, "accessToken")).status == 401);
  CHECK(run(environments->uncounted_keys({ref})).value() == std::vector<std::string>{ref});
  CHECK(register_agent("bootstrap-secret", "default").status == 200);
}

TEST_CASE_METHOD(Fixture, "environments are bounded") {
  cell(
      "insert into environments (id, slug, display_name, created_at) select gen_random_uuid(), 'e' || n, 'e', now() "
      "from generate_series(2, " +
      std::to_string(server::most_environments) + ") n");
  const auto answer = create(R"({"slug":"one-more"})");
  CHECK(answer.status == 409);
  CHECK(remove("e2").status == 204);
  CHECK(create(R"({"slug":"one-more"})").status == 201);
}

TEST_CASE_METHOD(Fixture, "without the database an environment is what it was within the last hour") {
  CHECK(environments->last_known("default").error().code == ErrorCode::unavailable);
  REQUIRE(run(environments->find("default")));
  now += 59min;
  CHECK(environments->last_known("default")->data_name == "default");
  now += 1min;
  CHECK(environments->last_known("default").error().code == ErrorCode::unavailable);
}
