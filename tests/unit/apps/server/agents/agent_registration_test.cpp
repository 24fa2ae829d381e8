#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

#include "services_on_loop.hpp"

using namespace cameleer;
using namespace std::chrono_literals;
using test::member;
using test::ServicesOnLoop;

namespace {

const std::string kRegistration =
    R"({"agentId":"orders-1","displayName":"Orders","application":"orders","environmentId":"default","version":"0.1.0",)"
    R"("camelVersion":"4.18.0","runtime":"camel-main","routeIds":["intake","ship"],"capabilities":{"replay":false}})";

struct Fixture : ServicesOnLoop {
  std::string key = run(environments->ensure_first()).value().value();
  web::Response register_agent(const std::string& body = kRegistration) {
    return post("/api/v1/agents/register", body, key);
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a registration answers with all that an agent needs") {
  const auto response = register_agent();
  REQUIRE(response.status == 200);
  CHECK(member(response, "agentId") == "orders-1");
  CHECK(member(response, "sseEndpoint") == "/api/v1/agents/orders-1/events");
  CHECK(member(response, "heartbeatIntervalMs") == "30000");
  CHECK(member(response, "expiresInSeconds") == "3600");
  CHECK(member(response, "tenantId") == "default");
  CHECK(member(response, "serverPublicKey") == keys.command_public_key());
  CHECK(member(response, "serverKeyId") == keys.command_signing().id);
  CHECK(member(response, "config") == R"({"version":0})");
  CHECK(member(response, "serverTime") == format_instant(now));
  const auto claims =
      tokens->verify(member(response, "accessToken"), server::TokenSubject::Kind::agent, identity::TokenType::access);
  REQUIRE(claims);
  CHECK(claims->subject == "orders-1");
  CHECK(claims->application == "orders");
  CHECK(claims->environment == "default");
  CHECK(claims->roles == std::vector<std::string>{"AGENT"});
  CHECK(claims->key_ref == cell("select id from api_keys"));
  CHECK(cell("select string_agg(type, ',') from agent_events") == "REGISTERED");
  CHECK(cell("select state from agents") == "LIVE");
  CHECK(register_agent().status == 200);
  CHECK(cell("select string_agg(type, ',' order by event_id) from agent_events") == "REGISTERED,RE_REGISTERED");
}

TEST_CASE_METHOD(Fixture, "a wrong registration names member and rule, and stores nothing") {
  const auto with = [](std::string_view name, const std::string& value) {
    std::string members;
    for (const auto& [member, good] : std::vector<std::pair<std::string, std::string>>{
             {"agentId", "\"a\""}, {"application", "\"b\""}, {"environmentId", "\"default\""}}) {
      if (member != name) members += "\"" + member + "\":" + good + ",";
    }
    return "{" + members + "\"" + std::string(name) + "\":" + value + "}";
  };
  std::string many = "[\"r\"";
  for (int i = 0; i < 10'000; ++i) many += ",\"r\"";
  many += "]";
  struct Row {
    std::string body;
    int status;
    std::string code, member;
  };
  const Row rows[] = {
      {"{", 400, "malformed_body", ""},
      {std::string(10'000, '['), 400, "malformed_body", ""},
      {"{}", 400, "invalid_member", "/agentId"},
      {with("agentId", "\"\""), 400, "invalid_member", "/agentId"},
      {with("agentId", "7"), 400, "invalid_member", "/agentId"},
      {with("agentId", "\"a/b\""), 400, "invalid_member", "/agentId"},
      {with("agentId", "\"a b\""), 400, "invalid_member", "/agentId"},
      {with("agentId", "\"" + std::string(129, 'a') + "\""), 400, "invalid_member", "/agentId"},
      {with("application", "\"  \""), 400, "invalid_member", "/application"},
      {with("application", "\"a\\u0000\""), 400, "invalid_member", "/application"},
      {with("environmentId", "\"\""), 400, "invalid_member", "/environmentId"},
      {with("environmentId", "null"), 400, "invalid_member", "/environmentId"},
      {with("environmentId", "\"other\""), 403, "forbidden", "/environmentId"},
      {with("version", "[]"), 400, "invalid_member", "/version"},
      {with("routeIds", "[1]"), 400, "invalid_member", "/routeIds/0"},
      {with("routeIds", many), 400, "invalid_member", "/routeIds"},
      {with("capabilities", "[]"), 400, "invalid_member", "/capabilities"},
      {with("agentTime", "\"yesterday\""), 400, "invalid_member", "/agentTime"},
      {with("agentTime", "7"), 400, "invalid_member", "/agentTime"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.body.substr(0, 120));
    const auto response = register_agent(row.body);
    CHECK(response.status == row.status);
    CHECK(member(response, "code") == row.code);
    CHECK(member(response, "member") == row.member);
  }
  CHECK(cell("select count(*) from agents") == "0");
  CHECK(cell("select count(*) from refresh_tokens") == "0");
  CHECK(register_agent(with("agentId", "\"" + std::string(128, 'a') + "\"")).status == 200);
}

TEST_CASE_METHOD(Fixture, "another version of the protocol is refused and told which one is spoken") {
  for (const char* name : {"X-Protocol-Version", "X-Cameleer-Protocol-Version"}) {
    for (const auto& [version, status] :
         std::vector<std::pair<std::string, int>>{{"1", 200}, {"2", 400}, {"1.0", 400}, {"x", 400}}) {
      CAPTURE(name, version);
      const auto response = send(web::Method::post, "/api/v1/agents/register", kRegistration,
                                 {{"Authorization", "Bearer " + key}, {name, version}});
      CHECK(response.status == status);
      if (status == 400) CHECK(member(response, "code") == "unsupported_version");
    }
  }
}

TEST_CASE_METHOD(Fixture, "an agent's tokens rotate, and end with their key") {
  const auto first = register_agent();
  now += 1min;
  const auto renewed = post("/api/v1/agents/orders-1/refresh", "", member(first, "refreshToken"));
  REQUIRE(renewed.status == 200);
  CHECK(member(renewed, "serverTime") == format_instant(now));
  const auto same = post("/api/v1/agents/orders-1/refresh", "", member(first, "refreshToken"));
  CHECK(member(same, "refreshToken") == member(renewed, "refreshToken"));
  CHECK(post("/api/v1/agents/orders-2/refresh", "", member(renewed, "refreshToken")).status == 403);
  CHECK(post("/api/v1/agents/orders-1/refresh", "", member(renewed, "accessToken")).status == 401);
  CHECK(post("/api/v1/agents/orders-1/heartbeat", "", member(renewed, "accessToken")).status == 200);
  cell("update api_keys set status = 'REVOKED'");
  now += 5s;
  CHECK(post("/api/v1/agents/orders-1/heartbeat", "", member(renewed, "accessToken")).status == 401);
  CHECK(post("/api/v1/agents/orders-1/refresh", "", member(renewed, "refreshToken")).status == 401);
  CHECK(register_agent().status == 401);
}

TEST_CASE_METHOD(Fixture, "a bootstrap token registers in its environment") {
  CHECK(post("/api/v1/agents/register", kRegistration, "bootstrap-secret").status == 200);
  CHECK(cell("select key_ref from agents") == "bootstrap:" + cell("select id from environments"));
}
