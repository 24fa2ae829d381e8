#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

#include "license_on_loop.hpp"

namespace cameleer::test {
namespace {

using namespace std::chrono_literals;

async::Task<Expected<void>> create(postgres::Pool& pool, server::LicenseEnforcer& caps, std::string name,
                                   std::string actor) {
  auto transaction = co_await pool.begin();
  if (!transaction) co_return std::unexpected(transaction.error().for_caller());
  auto allowed = co_await caps.check(**transaction, LicenseLimit::max_users, {.username = std::move(actor)});
  if (!allowed) co_return allowed;
  postgres::Parameters parameters{name};
  auto inserted = co_await (*transaction)
                      ->query(
                          "insert into users (user_id, username, display_name, created_at) values "
                          "(gen_random_uuid(), $1, $1, now())",
                          std::move(parameters));
  if (!inserted) co_return std::unexpected(inserted.error().for_caller());
  auto committed = co_await (*transaction)->commit();
  if (!committed) co_return std::unexpected(committed.error().for_caller());
  co_return Expected<void>{};
}

std::string caps_audited(LicenseOnLoop& at) {
  return at.cell(
      "select coalesce(string_agg(username || ' ' || target || ' ' || (detail->>'count'), ', ' order by id), '') from "
      "audit_log where action = 'cap_exceeded'");
}

TEST_CASE("the cap is kept, and a refusal says what the usage shows") {
  LicenseOnLoop at;
  for (int i = 0; i < 3; ++i) REQUIRE(at.run(create(*at.pool, at.caps, fmt::format("user-{}", i), "ada")));
  const auto refused = at.run(create(*at.pool, at.caps, "one-too-many", "ada"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::license_cap_exceeded);
  CHECK(at.cell("select count(*) from users") == "3");
  const auto response = at.caps.problem(refused.error(), "request-1");
  CHECK(response.status == 403);
  CHECK(response.content_type == "application/problem+json");
  CHECK(member(response, "code") == "license_cap_exceeded");
  CHECK(member(response, "error") == "license_cap_exceeded");
  CHECK(member(response, "limit") == "max_users");
  CHECK(member(response, "current") == "3");
  CHECK(member(response, "cap") == "3");
  CHECK(member(response, "state") == "ABSENT");
  CHECK(member(response, "message") == cap_message(*at.gate.snapshot(), LicenseLimit::max_users, 3, at.now));
  CHECK(at.caps.refusals().count(LicenseLimit::max_users) == 1);
  CHECK(at.install(at.vendor.token(at.licence())) == "ACTIVE");
  CHECK(at.run(create(*at.pool, at.caps, "one-more", "ada")));
}

TEST_CASE("other errors are answered as ever") {
  LicenseOnLoop at;
  const auto response = at.caps.problem({ErrorCode::not_found, "There is none."}, "request-1");
  CHECK(response.status == 404);
  CHECK(member(response, "limit").empty());
}

TEST_CASE("the first refusal is audited at once, further ones once a minute for each limit and actor") {
  LicenseOnLoop at;
  for (int i = 0; i < 3; ++i) REQUIRE(at.run(create(*at.pool, at.caps, fmt::format("user-{}", i), "ada")));
  const auto refuse = [&](const char* actor) { REQUIRE_FALSE(at.run(create(*at.pool, at.caps, "more", actor))); };
  const auto look = [&] { REQUIRE(at.run(at.caps.refusals().write_counted())); };
  refuse("ada");
  look();
  CHECK(caps_audited(at) == "ada max_users 1");
  for (int i = 0; i < 50; ++i) refuse("ada");
  refuse("bob");
  look();
  CHECK(caps_audited(at) == "ada max_users 1, bob max_users 1");
  at.now += 59s;
  look();
  CHECK(caps_audited(at) == "ada max_users 1, bob max_users 1");
  at.now += 1s;
  look();
  CHECK(caps_audited(at) == "ada max_users 1, bob max_users 1, ada max_users 50");
  refuse("ada");
  CHECK(caps_audited(at) == "ada max_users 1, bob max_users 1, ada max_users 50");
  at.now += 60s;
  look();
  at.now += 60s;
  look();
  CHECK(caps_audited(at) == "ada max_users 1, bob max_users 1, ada max_users 50, ada max_users 1");
  CHECK(at.caps.refusals().count(LicenseLimit::max_users) == 53);
  CHECK(at.cell("select sum((detail->>'count')::int) from audit_log where action = 'cap_exceeded'") == "53");
}

TEST_CASE("of many actors the first thousand are told apart") {
  LicenseOnLoop at;
  server::CapRefusal refusal{
      .limit = LicenseLimit::max_apps, .current = 3, .cap = 3, .state = LicenseState::ABSENT, .message = "full"};
  for (int i = 0; i < 1'200; ++i) {
    at.caps.refusals().note(refusal, {.username = fmt::format("user-{}", i)});
  }
  REQUIRE(at.run(at.caps.refusals().write_counted()));
  CHECK(at.cell("select count(*) from audit_log where action = 'cap_exceeded'") == "1001");
  REQUIRE(at.run(at.caps.refusals().write_counted(true)));
  CHECK(at.cell("select sum((detail->>'count')::int) from audit_log where action = 'cap_exceeded'") == "1200");
}

TEST_CASE("agents: those LIVE count, those known within a day come back whatever the cap says") {
  LicenseOnLoop at;
  auto licence = at.licence();
  licence.limits.set(LicenseLimit::max_agents, 2);
  CHECK(at.install(at.vendor.token(licence)) == "ACTIVE");
  const auto enrol = [&](const std::string& id) {
    const auto answer =
        at.post("/api/v1/agents/register",
                R"({"agentId":")" + id + R"(","application":"orders","environmentId":"default"})", "bootstrap-secret");
    return answer.status == 403 ? member(answer, "limit") : std::to_string(answer.status);
  };
  CHECK(enrol("a") == "200");
  CHECK(enrol("b") == "200");
  CHECK(enrol("c") == "max_agents");
  CHECK(enrol("a") == "200");
  at.cell("update agents set state = 'STALE' where agent_id = 'a'");
  CHECK(enrol("c") == "200");
  CHECK(enrol("a") == "200");
  CHECK(at.cell("select count(*) from agents where state = 'LIVE'") == "3");
  at.cell("update agents set state = 'DEAD' where agent_id = 'b'");
  CHECK(enrol("b") == "200");
  at.cell("update agents set state = 'DEAD' where agent_id = 'b'");
  at.now += 23h + 59min;
  CHECK(enrol("b") == "200");
  at.cell(
      "update agents set state = 'DEAD', last_heartbeat_at = last_heartbeat_at - interval '25 hours' where agent_id = "
      "'b'");
  CHECK(enrol("b") == "max_agents");
  REQUIRE(at.run(at.caps.refusals().write_counted()));
  CHECK(at.cell("select username from audit_log where action = 'cap_exceeded' limit 1").starts_with("API key boot"));
}

}  // namespace
}  // namespace cameleer::test
