#include "server/environments/telemetry_removal.hpp"

#include <boost/asio/this_coro.hpp>
#include <catch2/catch.hpp>

#include "engine_session.hpp"
#include "private_engine.hpp"
#include "services_on_loop.hpp"

using namespace cameleer;
using namespace std::chrono_literals;
using test::ServicesOnLoop;

namespace {

// Two environments in tables such as the server's.
struct Fixture : ServicesOnLoop {
  Fixture() {
    run(environments->ensure_first()).value();
    run(environments->create("staging", {})).value();
    execute("CREATE DATABASE " + database, "default");
    for (const std::string table : {"logs", "events"}) {
      execute("CREATE TABLE " + table +
              " (tenant_id LowCardinality(String), environment LowCardinality(String), time DateTime64(3)) "
              "ENGINE = ReplacingMergeTree PARTITION BY (tenant_id, toYYYYMM(time)) ORDER BY (environment, time)");
    }
    execute("CREATE TABLE server_metrics (tenant_id String, time DateTime64(3)) ENGINE = MergeTree ORDER BY time");
    execute("CREATE MATERIALIZED VIEW view TO events AS SELECT tenant_id, environment, time FROM logs WHERE 0");
  }

  void execute(std::string sql, std::string in = "") {
    clickhouse::Client client(io.get_executor(),
                              test::options_for(test::PrivateEngine::shared(), in.empty() ? database : in));
    const auto done = run(client.execute(std::move(sql)));
    if (!done) throw std::runtime_error(done.error().text);
  }
  void insert(const std::string& environment, int rows) {
    for (const std::string table : {"logs", "events"}) {
      execute("INSERT INTO " + table + " SELECT 'acme', '" + environment +
              "', toDateTime64('2026-01-31', 3) + number * 3600 "
              "FROM numbers(" +
              std::to_string(rows) + ")");
    }
  }
  std::int64_t count(const std::string& environment) {
    std::int64_t rows = 0;
    std::function<bool(const clickhouse::Row&)> take = [&rows](const clickhouse::Row& row) {
      rows = row.integer(0);
      return true;
    };
    const auto done = run(engine.select(
        "SELECT count() AS n FROM (SELECT environment FROM logs UNION ALL SELECT environment FROM events) WHERE "
        "environment = {environment:String}",
        {clickhouse::Parameter::text("environment", environment)}, std::move(take)));
    if (!done) throw std::runtime_error(done.error().text);
    return rows;
  }
  // Deletes run beside; the clock goes on by `step` between the looks.
  bool sweep_until_clear(std::chrono::milliseconds step) {
    for (int look = 0; look < 200; ++look) {
      if (!run(removal.sweep())) return false;
      if (!cell("select cleared_at from removed_environments").empty()) return true;
      now += step;
      run(pause());
    }
    return false;
  }
  static async::Task<bool> pause() {
    co_await async::sleep_for(co_await boost::asio::this_coro::executor, 20ms);
    co_return true;
  }

  std::string database = test::unique_database("removal");
  clickhouse::Client engine{io.get_executor(), test::options_for(test::PrivateEngine::shared(), database)};
  server::TelemetryRemoval removal{*pool, engine, [this] { return now; }, "acme"};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "the telemetry of a removed environment is deleted, and no other") {
  insert("staging", 1'000);
  insert("default", 10);
  insert("staging~1", 10);
  CHECK_FALSE(run(removal.sweep()).value());
  CHECK(removal.waiting() == 0);
  REQUIRE(run(environments->remove("staging")));
  CHECK(sweep_until_clear(5s));
  CHECK(count("staging") == 0);
  CHECK(count("default") == 20);
  CHECK(count("staging~1") == 20);
  run(removal.sweep()).value();
  CHECK(removal.waiting() == 0);
}

TEST_CASE_METHOD(Fixture, "what comes late is deleted as well, until nothing can come any more") {
  REQUIRE(run(environments->remove("staging")));
  CHECK(sweep_until_clear(5s));
  CHECK_FALSE(run(removal.sweep()).value());
  insert("staging", 5);
  now += 5s;
  CHECK(run(removal.sweep()).value());
  CHECK(cell("select cleared_at from removed_environments").empty());
  CHECK(sweep_until_clear(1h));
  CHECK(count("staging") == 0);
  // Ever more seldom.
  now += 24h;
  CHECK(run(removal.sweep()).value());
  now += 23h;
  CHECK_FALSE(run(removal.sweep()).value());
  now += 24h * 90;
  CHECK(run(removal.sweep()).value());
  CHECK(cell("select next_sweep_at from removed_environments").empty());
  now += 24h * 365;
  CHECK_FALSE(run(removal.sweep()).value());
}

TEST_CASE_METHOD(Fixture, "a store that does not answer is asked again, by whoever comes first") {
  insert("staging", 100);
  REQUIRE(run(environments->remove("staging")));
  clickhouse::Client nowhere{io.get_executor(), {.url = "http://127.0.0.1:1", .password = {}, .database = database}};
  server::TelemetryRemoval lost{*pool, nowhere, [this] { return now; }, "acme"};
  CHECK_FALSE(run(lost.sweep()));
  CHECK(lost.waiting() == 1);
  CHECK_FALSE(run(removal.sweep()).value());
  CHECK(count("staging") == 200);
  now += 10s;
  CHECK(sweep_until_clear(5s));
  CHECK(count("staging") == 0);
}

TEST_CASE_METHOD(Fixture, "whoever claimed a removal and died is replaced") {
  insert("staging", 100);
  REQUIRE(run(environments->remove("staging")));
  cell("update removed_environments set next_sweep_at = next_sweep_at + interval '60 seconds'");
  CHECK_FALSE(run(removal.sweep()).value());
  now += 60s;
  CHECK(sweep_until_clear(5s));
  CHECK(count("staging") == 0);
}
