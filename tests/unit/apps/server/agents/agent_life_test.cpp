#include <catch2/catch.hpp>

#include "services_on_loop.hpp"

using namespace cameleer;
using namespace std::chrono_literals;
using test::member;
using test::ServicesOnLoop;

namespace {

struct Fixture : ServicesOnLoop {
  std::string key = run(environments->ensure_first()).value().value();
  std::string token = register_agent("orders-1");

  std::string register_agent(const std::string& id) {
    const auto response = post("/api/v1/agents/register",
                               R"({"agentId":")" + id + R"(","application":"orders","environmentId":"default"})", key);
    REQUIRE(response.status == 200);
    return member(response, "accessToken");
  }
  web::Response beat(const std::string& body = {}) { return post("/api/v1/agents/orders-1/heartbeat", body, token); }
  std::string state() { return cell("select state from agents where agent_id = 'orders-1'"); }
  std::string events() {
    return cell("select string_agg(type, ',' order by event_id) from agent_events where agent_id = 'orders-1'");
  }
  void sweep() { REQUIRE(run(agents->sweep())); }
  void write() { REQUIRE(run(agents->write_heartbeats())); }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "silence makes an agent stale and dead, a heartbeat brings it back") {
  now += 90s - 1ms;
  sweep();
  CHECK(state() == "LIVE");
  now += 1ms;
  sweep();
  CHECK(state() == "STALE");
  now += 300s;
  sweep();
  sweep();
  CHECK(state() == "DEAD");
  CHECK(beat().status == 200);
  CHECK(state() == "LIVE");
  CHECK(events() == "REGISTERED,WENT_STALE,WENT_DEAD,RECOVERED");
}

TEST_CASE_METHOD(Fixture, "heartbeats reach the rows in batches, and what is heard is not judged silent") {
  now += 80s;
  const auto response =
      beat(R"({"environmentId":"default","routeStates":{"intake":"Stopped"},"capabilities":{"replay":true}})");
  REQUIRE(response.status == 200);
  CHECK(member(response, "serverTime") == format_instant(now));
  CHECK(cell("select route_states from agents") == "{}");
  now += 20s;
  sweep();
  CHECK(state() == "LIVE");
  write();
  CHECK(cell("select route_states ->> 'intake' from agents") == "Stopped");
  CHECK(cell("select capabilities ->> 'replay' from agents") == "true");
  now += 70s;
  sweep();
  CHECK(state() == "STALE");
  CHECK(events() == "REGISTERED,WENT_STALE");
}

TEST_CASE_METHOD(Fixture, "a goodbye is no failure, and a heartbeat after it is a return") {
  CHECK(post("/api/v1/agents/orders-1/deregister", "", token).body == "{}");
  CHECK(state() == "SHUTDOWN");
  now += 24h;
  sweep();
  CHECK(state() == "SHUTDOWN");
  now -= 23h + 30min;
  CHECK(beat().status == 200);
  CHECK(events() == "REGISTERED,DEREGISTERED,RECOVERED");
}

TEST_CASE_METHOD(Fixture, "after a restart the registry heals from rows and heartbeats") {
  restart();
  now += 40s;
  CHECK(beat().status == 200);
  write();
  CHECK(cell("select display_name from agents") == "orders-1");
  now += 89s;
  sweep();
  CHECK(state() == "LIVE");
  CHECK(events() == "REGISTERED");

  cell("delete from agents");
  restart();
  CHECK(beat(R"({"environmentId":"default"})").status == 200);
  CHECK(state() == "LIVE");
  CHECK(cell("select application from agents") == "orders");
}

TEST_CASE_METHOD(Fixture, "a row that vanished while the agent was in memory comes back with the next heartbeats") {
  cell("delete from agents");
  CHECK(beat().status == 200);
  write();
  CHECK(state() == "");
  CHECK(beat().status == 200);
  CHECK(state() == "LIVE");
}

TEST_CASE_METHOD(Fixture, "what another process did to a row is healed or respected") {
  CHECK(beat().status == 200);
  now += 1s;
  cell("update agents set state = 'STALE', state_since = '" + format_instant(now) + "'");
  CHECK(beat().status == 200);
  write();
  CHECK(state() == "LIVE");
  CHECK(events() == "REGISTERED,RECOVERED");

  CHECK(beat().status == 200);
  now += 1s;
  cell("update agents set state = 'SHUTDOWN', state_since = '" + format_instant(now) + "'");
  write();
  CHECK(state() == "SHUTDOWN");

  now += 1s;
  CHECK(beat().status == 200);
  CHECK(state() == "LIVE");
  now += 90s;
  const auto late = format_instant(now);
  cell("update agents set last_heartbeat_at = '" + late + "'");
  sweep();
  CHECK(state() == "LIVE");
}

TEST_CASE_METHOD(Fixture, "wrong heartbeats are refused") {
  struct Row {
    std::string body;
    int status;
    std::string code, member;
  };
  const Row rows[] = {
      {"[]", 400, "malformed_body", ""},
      {R"({"environmentId":""})", 400, "invalid_member", "/environmentId"},
      {R"({"environmentId":"other"})", 403, "forbidden", "/environmentId"},
      {R"({"routeStates":[]})", 400, "invalid_member", "/routeStates"},
      {R"({"routeStates":{"r":1}})", 400, "invalid_member", "/routeStates/r"},
      {R"({"capabilities":1})", 400, "invalid_member", "/capabilities"},
      {R"({"agentTime":"2027-01-15"})", 400, "invalid_member", "/agentTime"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.body);
    const auto response = beat(row.body);
    CHECK(response.status == row.status);
    CHECK(member(response, "code") == row.code);
    CHECK(member(response, "member") == row.member);
  }
  const auto other = register_agent("orders-2");
  const auto foreign = post("/api/v1/agents/orders-1/heartbeat", "", other);
  CHECK(foreign.status == 403);
  CHECK(member(foreign, "code") == "foreign_agent");
}

TEST_CASE_METHOD(Fixture, "the agent's clock is compared with ours at registrations and heartbeats") {
  const auto skew = [this] { return cell("select clock_skew_ms from agents"); };
  CHECK(skew().empty());
  CHECK(beat(R"({"agentTime":")" + format_instant(now + 5min) + "\"}").status == 200);
  write();
  CHECK(skew() == "300000");
  // One that says nothing changes nothing.
  CHECK(beat().status == 200);
  write();
  CHECK(skew() == "300000");
  CHECK(post("/api/v1/agents/register",
             R"({"agentId":"orders-1","application":"orders","environmentId":"default","agentTime":")" +
                 format_instant(now - 7ms) + "\"}",
             key)
            .status == 200);
  CHECK(skew() == "-7");
}

TEST_CASE_METHOD(Fixture, "deep capabilities come back in the list of agents") {
  make_admin();
  const auto user = run(auth->issue_tokens("admin", std::string(test::kPassword), "a")).value();
  const std::string deep = R"({"x":)" + std::string(50, '[') + std::string(50, ']') + "}";
  CHECK(beat(R"({"capabilities":)" + deep + "}").status == 200);
  write();
  restart();
  const auto response = get("/api/v1/environments/default/agents", user.access);
  REQUIRE(response.status == 200);
  CHECK(response.body.find(deep) != std::string::npos);
  CHECK(response.body.find(R"("state":"LIVE")") != std::string::npos);
  CHECK(get("/api/v1/environments/nowhere/agents", user.access).status == 404);
  CHECK(get("/api/v1/environments/default/agents", token).status == 401);
}

TEST_CASE("an agent over the bound is refused, the known ones stay") {
  server::AgentServiceSettings settings;
  settings.max_known = 1;
  ServicesOnLoop services({}, settings);
  const auto key = services.run(services.environments->ensure_first()).value().value();
  const auto send = [&](const std::string& id) {
    return services
        .post("/api/v1/agents/register", R"({"agentId":")" + id + R"(","application":"a","environmentId":"default"})",
              key)
        .status;
  };
  CHECK(send("a") == 200);
  CHECK(send("b") == 503);
  CHECK(services.cell("select count(*) from agents") == "1");
  CHECK(send("a") == 200);
}
