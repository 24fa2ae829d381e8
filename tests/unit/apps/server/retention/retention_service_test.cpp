#include "server/retention/retention_service.hpp"

#include <catch2/catch.hpp>

#include "engine_session.hpp"
#include "server_schema.hpp"
#include "services_on_loop.hpp"

using namespace cameleer;
using namespace cameleer::server;
using namespace std::chrono_literals;
using std::chrono::days;
using test::ServicesOnLoop;
using Kind = TelemetryKind;

namespace {

constexpr days kDelay{7};

// Environments, a licence and a migrated database of the engine.
struct Fixture : ServicesOnLoop {
  Fixture() {
    allow(365);
    run(environments->ensure_first()).value();
    run(environments->create("staging", {.execution_retention_days = 14})).value();
    auto migrated = run(test::migrate(engine, database, CAMELEER_CLICKHOUSE_SCHEMA));
    if (!migrated) throw std::runtime_error(migrated.error().message);
  }

  // A licence with this cap on each kind.
  void allow(std::int64_t cap) {
    LicenseStanding standing;
    for (const auto kind : telemetry_kinds) standing.limits.values[static_cast<std::size_t>(cap_of(kind))] = cap;
    gate.set(std::make_shared<const LicenseStanding>(standing));
  }
  void wish(const std::string& slug, std::optional<std::int64_t> executions) {
    run(environments->update(slug, {.execution_retention_days = executions})).value();
  }
  void execute(std::string sql) {
    const auto done = run(engine.execute(sql));
    if (!done) throw std::runtime_error(sql + ": " + done.error().error.message + done.error().text);
  }
  std::string ask(std::string sql) {
    std::string answer;
    std::function<bool(const clickhouse::Row&)> take = [&answer](const clickhouse::Row& row) {
      answer = row.text(0);
      return true;
    };
    const auto done = run(engine.select(std::move(sql), {}, std::move(take)));
    if (!done) throw std::runtime_error(done.error().text);
    return answer;
  }
  // What the table deletes by, as the engine says it.
  std::string ttl(const std::string& table) {
    return ask(
        "SELECT extract(create_table_query, ' TTL (.*) SETTINGS') FROM system.tables "
        "WHERE database = currentDatabase() AND name = '" +
        table + "'");
  }
  std::string rows(const std::string& environment) {
    return ask("SELECT toString(count()) FROM executions WHERE environment = '" + environment + "'");
  }
  // One execution for each of the last 30 days.
  void insert(const std::string& environment) {
    execute("INSERT INTO executions (tenant_id, environment, start_time, execution_id) SELECT 'default', '" +
            environment + "', now64(3) - toIntervalDay(number) - 60, toString(number) FROM numbers(30)");
  }
  // Merges run beside.
  bool comes_to(const std::string& environment, const std::string& count) {
    for (int look = 0; look < 2'400; ++look) {
      if (rows(environment) == count) return true;
      run(pause());
    }
    return false;
  }
  static async::Task<bool> pause() {
    co_await async::sleep_for(co_await async::asio::this_coro::executor, 50ms);
    co_return true;
  }
  void tick() { REQUIRE(run(retention.tick())); }

  LicenseGate gate;
  RetentionPolicy policy{gate, days(30)};
  std::string database = test::unique_database("retention");
  clickhouse::Client engine{io.get_executor(), test::options_for(test::PrivateEngine::shared(), database)};
  RetentionService retention{io.get_executor(), *pool, engine, policy, [this] { return now; }, kDelay};
};

constexpr const char* kFirst =
    "start_time + toIntervalDay(14) WHERE environment IN ('staging'), "
    "start_time + toIntervalDay(30) WHERE environment IN ('default')";

}  // namespace

TEST_CASE_METHOD(Fixture, "every table of telemetry deletes by clauses of its own, in the engine's spelling") {
  tick();
  for (const auto* table : {"executions", "processor_executions", "execution_arrivals"}) {
    CAPTURE(table);
    CHECK(ttl(table) == kFirst);
  }
  for (const auto* table : {"logs", "agent_metrics", "agent_events"}) {
    CAPTURE(table);
    CHECK(ttl(table) == "time + toIntervalDay(30) WHERE environment IN ('default', 'staging')");
  }
  for (const auto* table : {"route_diagrams", "route_catalog"}) CHECK(ttl(table).empty());
  CHECK(retention.figures().changes == RetentionTables::all().size());
  CHECK(retention.stored_since(Kind::execution, "staging") == now - days(14));
  CHECK_FALSE(retention.stored_since(Kind::execution, "nobody"));
  CHECK(retention.deleted_after(Kind::execution, "staging") == days(14));
  CHECK_FALSE(retention.deleted_after(Kind::execution, "nobody"));

  // Nothing is said twice, by whomever.
  now += 1h;
  tick();
  RetentionService other(io.get_executor(), *pool, engine, policy, [this] { return now; }, kDelay);
  REQUIRE(run(other.tick()));
  CHECK(retention.figures().changes + other.figures().changes == RetentionTables::all().size());
}

TEST_CASE_METHOD(Fixture, "a lowered retention reaches the tables after its delay, whoever is there then") {
  tick();
  wish("staging", 5);
  tick();
  CHECK(ttl("executions") == kFirst);
  CHECK(retention.figures().waiting == 1);
  CHECK(retention.stored_since(Kind::execution, "staging") == now - days(14));

  now += kDelay;
  RetentionService after_restart(io.get_executor(), *pool, engine, policy, [this] { return now; }, kDelay);
  REQUIRE(run(after_restart.tick()));
  CHECK(ttl("executions") ==
        "start_time + toIntervalDay(5) WHERE environment IN ('staging'), "
        "start_time + toIntervalDay(30) WHERE environment IN ('default')");
  CHECK(after_restart.figures().waiting == 0);
  CHECK(after_restart.stored_since(Kind::execution, "staging") == now - days(5));
}

TEST_CASE_METHOD(Fixture, "raised within the delay, nothing was changed; raised beyond, it counts at once") {
  tick();
  allow(1);
  tick();
  CHECK(retention.figures().waiting == 6);
  now += kDelay - 1min;
  allow(365);
  tick();
  CHECK(retention.figures().waiting == 0);
  now += kDelay;
  tick();
  CHECK(ttl("executions") == kFirst);
  wish("staging", 60);
  tick();
  CHECK(ttl("executions") ==
        "start_time + toIntervalDay(30) WHERE environment IN ('default'), "
        "start_time + toIntervalDay(60) WHERE environment IN ('staging')");
}

TEST_CASE_METHOD(Fixture, "an environment that comes or goes changes the clauses") {
  tick();
  REQUIRE(run(environments->remove("staging")));
  run(environments->create("staging", {})).value();
  const auto name = cell("select data_name from environments where slug = 'staging'");
  tick();
  CHECK(ttl("executions") == "start_time + toIntervalDay(30) WHERE environment IN ('default', '" + name + "')");
  CHECK(cell("select count(*) from retention_days") == "6");
}

TEST_CASE_METHOD(Fixture, "rows beyond what is kept vanish by themselves, and no other environment's") {
  wish("staging", 40);
  tick();
  insert("staging");
  insert("default");
  wish("staging", 5);
  tick();
  execute("OPTIMIZE TABLE executions FINAL");
  CHECK(rows("staging") == "30");
  now += kDelay;
  tick();
  // What lies there is told of it: nobody has to ask for a merge.
  CHECK(comes_to("staging", "5"));
  CHECK(rows("default") == "30");
}

TEST_CASE_METHOD(Fixture,
                 "a death between the change of a table and the telling of its rows leaves none of them for ever") {
  wish("staging", 40);
  tick();
  insert("staging");
  wish("staging", 5);
  tick();
  now += kDelay;
  // The table takes the change of its clauses, and no mutation for now.
  execute("SYSTEM STOP MERGES executions");
  execute("ALTER TABLE executions MODIFY SETTING number_of_mutations_to_throw = 1");
  execute("ALTER TABLE executions DELETE WHERE execution_id = 'nobody' SETTINGS mutations_sync = 0");
  tick();
  CHECK(ttl("executions").find("toIntervalDay(5)") != std::string::npos);
  CHECK(retention.figures().refusals == 1);

  execute("KILL MUTATION WHERE database = currentDatabase() AND table = 'executions'");
  execute("ALTER TABLE executions RESET SETTING number_of_mutations_to_throw");
  execute("SYSTEM START MERGES executions");
  RetentionService after_restart(io.get_executor(), *pool, engine, policy, [this] { return now; }, kDelay);
  REQUIRE(run(after_restart.tick()));
  CHECK(after_restart.figures().changes == 1);
  CHECK(comes_to("staging", "5"));
  // And that was all.
  now += 10min;
  REQUIRE(run(after_restart.tick()));
  CHECK(after_restart.figures().changes == 1);
}

TEST_CASE_METHOD(Fixture, "a hundred years are as long as they are") {
  wish("staging", 36'500);
  allow(largest_license_limit);
  tick();
  insert("staging");
  execute("OPTIMIZE TABLE executions FINAL");
  CHECK(rows("staging") == "30");
}

TEST_CASE_METHOD(Fixture, "tables that were filled before anything was known of retention are cleared, too") {
  insert("staging");
  insert("default");
  tick();
  CHECK(comes_to("staging", "14"));
  CHECK(rows("default") == "30");
}

TEST_CASE_METHOD(Fixture, "an engine that refuses is asked again, ever more seldom, and readiness tells") {
  clickhouse::Client nowhere{io.get_executor(),
                             test::options_for(test::PrivateEngine::shared(), database + "_not_yet")};
  RetentionService service(io.get_executor(), *pool, nowhere, policy, [this] { return now; }, kDelay);
  std::vector<std::string> events;
  service.on_event([&events](const RetentionEvent& event) {
    events.push_back(std::string(event.table) + (event.refusal ? " refused" : " done"));
  });
  const auto began = now;
  REQUIRE(run(service.tick()));
  CHECK(service.figures().refusals == 1);
  CHECK_FALSE(service.deleted_after(Kind::execution, "staging"));
  REQUIRE(service.warnings().size() == 1);
  CHECK(service.warnings().front().code == "retention_refused");
  CHECK(service.warnings().front().since == began);
  // What is due is written down all the same.
  CHECK(cell("select count(*) from retention_days") == "6");

  for (const auto& [wait, refusals] : {std::pair{1s, 1U}, std::pair{1s, 2U}, std::pair{3s, 2U}, std::pair{1s, 3U}}) {
    now += wait;
    REQUIRE(run(service.tick()));
    CHECK(service.figures().refusals == refusals);
  }
  REQUIRE(run(test::migrate(nowhere, database + "_not_yet", CAMELEER_CLICKHOUSE_SCHEMA)));
  now += 5min;
  REQUIRE(run(service.tick()));
  CHECK(service.warnings().empty());
  CHECK(service.figures().changes == RetentionTables::all().size());
  CHECK(events.front() == " refused");
  CHECK(std::count_if(events.begin(), events.end(), [](const auto& one) { return one.ends_with(" done"); }) == 6);
}

TEST_CASE_METHOD(Fixture, "one table that is refused keeps no other waiting") {
  execute("DROP TABLE execution_arrivals_view");
  execute("DROP TABLE execution_arrivals");
  execute("CREATE TABLE execution_arrivals (x UInt8) ENGINE = Memory");
  tick();
  CHECK(ttl("executions") == kFirst);
  CHECK_FALSE(ttl("agent_events").empty());
  CHECK(retention.figures().refusals == 1);
  CHECK(retention.warnings().size() == 1);
}

TEST_CASE_METHOD(Fixture, "one process at a time changes the tables, and one that died is replaced") {
  cell("update retention_turn set busy_until = '" + format_instant(now + 60s) + "'");
  tick();
  CHECK(ttl("executions").empty());
  now += 60s;
  tick();
  CHECK(ttl("executions") == kFirst);
  CHECK(cell("select busy_until <= to_timestamp(0) from retention_turn") == "t");
}

TEST_CASE_METHOD(Fixture, "a raised retention that the tables do not know of yet counts for nothing that comes in") {
  allow(1);
  tick();
  allow(365);
  CHECK(retention.deleted_after(Kind::log, "default") == days(1));
  tick();
  CHECK(retention.deleted_after(Kind::log, "default") == days(30));
}

TEST_CASE_METHOD(Fixture, "clauses that somebody changed by hand are mended") {
  tick();
  execute("ALTER TABLE executions REMOVE TTL");
  now += 10min;
  tick();
  CHECK(ttl("executions") == kFirst);
}
