#include <fmt/format.h>

#include "../../../libs/clickhouse/engine_session.hpp"
#include "../../../libs/clickhouse/server_schema.hpp"
#include "server/ingest/ingest_service.hpp"

using namespace cameleer;
using namespace cameleer::server;
using async::Executor;
using async::Task;

namespace {

Instant real_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

// Ingest over one database of a real engine. A second one over the same database is the server after a restart.
struct Server {
  Instant now = real_now();
  clickhouse::Client engine;
  async::WorkerPool workers{1, 64};
  IngestService ingest;

  Server(Executor executor, const test::PrivateEngine& store, std::string database)
      : engine(executor, test::options_for(store, std::move(database))),
        ingest(executor, engine, workers, [this] { return now; }, {}) {}

  Task<std::size_t> send(DataKind kind, std::string body, std::string key = {}, std::string agent_id = "agent-1") {
    Principal agent;
    agent.kind = Principal::Kind::agent;
    agent.id = std::move(agent_id);
    agent.environment = "default";
    agent.application = "orders";
    const auto result = co_await ingest.ingest(kind, agent, std::move(body), std::move(key));
    if (!result) throw std::runtime_error(result.error().message + " " + result.error().member);
    co_return result->accepted;
  }

  // The only column `v` of the only row.
  Task<std::string> text(std::string sql) {
    std::string found;
    REQUIRE_WORKED(co_await engine.select(std::move(sql), {}, [&](const clickhouse::Row& row) {
      found = row.text(row.column("v"));
      return true;
    }));
    co_return found;
  }
  Task<std::string> rows(std::string table) {
    co_return co_await text("SELECT toString(count()) AS v FROM " + table + " FINAL");
  }
};

struct Kind {
  DataKind kind;
  const char* table;
  std::string members;  // without the time
};
const Kind kTimed[] = {{DataKind::logs, "logs", R"("level":"INFO","message":"m")"},
                       {DataKind::metrics, "agent_metrics", R"("metricName":"heap","value":1.5)"},
                       {DataKind::events, "agent_events", R"("type":"T","detail":{"a":1})"}};

// Two elements of one time and content: only their places differ.
std::string body_of(const Kind& kind, Instant time) {
  const auto one = fmt::format(R"({{"timestamp":"{}",{}}})", format_instant(time), kind.members);
  return "[" + one + "," + one + "]";
}

Task<> prepare(Server& server, std::string database) {
  const auto migrated = co_await test::migrate(server.engine, std::move(database), CAMELEER_CLICKHOUSE_SCHEMA);
  if (!migrated) throw std::runtime_error(migrated.error().message);
}

}  // namespace

TEST_CASE("the same request shows once, also when server and engine died in between") {
  test::PrivateEngine store;
  test::run([&](Executor executor) -> Task<> {
    Server first(executor, store, "data");
    co_await prepare(first, "data");
    for (const auto& kind : kTimed) {
      CAPTURE(kind.table);
      const auto body = body_of(kind, first.now);
      CHECK(co_await first.send(kind.kind, body) == 2);
      CHECK(co_await first.send(kind.kind, body) == 2);
      CHECK(co_await first.rows(kind.table) == "2");
      CHECK(co_await first.send(kind.kind, body, "key-1") == 2);
      CHECK(co_await first.send(kind.kind, body + " ", "key-1") == 2);
      CHECK(co_await first.rows(kind.table) == "4");
      CHECK(co_await first.send(kind.kind, body, "", "agent-2") == 2);
      CHECK(co_await first.rows(kind.table) == "6");
    }
    store.kill();
    store.start();
    Server second(executor, store, "data");
    second.now = first.now + std::chrono::minutes(5);
    for (const auto& kind : kTimed) {
      CAPTURE(kind.table);
      CHECK(co_await second.send(kind.kind, body_of(kind, first.now)) == 2);
      CHECK(co_await second.send(kind.kind, body_of(kind, first.now), "key-1") == 2);
      CHECK(co_await second.rows(kind.table) == "6");
    }
  });
}

TEST_CASE("every member of a log record, a metric and an event is stored") {
  test::run([](Executor executor) -> Task<> {
    const auto database = test::unique_database("members");
    Server server(executor, test::PrivateEngine::shared(), database);
    co_await prepare(server, database);
    const auto time = format_instant(server.now);
    co_await server.send(
        DataKind::logs,
        fmt::format(
            R"({{"timestamp":"{}","level":"Warn","logger":"a.B","thread":"main","message":"boo","stackTrace":"at",)"
            R"("mdc":{{"camel.exchangeId":"x1","cameleer.processorId":"p1","cookie":"c"}},"routeId":"r1",)"
            R"("source":"agent","instanceId":"i1"}})",
            time));
    CHECK(co_await server.text("SELECT concat(tenant_id, environment, application, instance_id, level, logger, thread,"
                               " message, stack_trace, source, exchange_id, route_id, processor_id, mdc['cookie'],"
                               " toString(length(row_id))) AS v FROM logs FINAL") ==
          "defaultdefaultordersi1Warna.Bmainbooatagentx1r1p1***16");
    CHECK(co_await server.text(fmt::format("SELECT toString(toUnixTimestamp64Milli(time) = {}) AS v FROM logs FINAL",
                                           milliseconds_of(server.now))) == "1");
    co_await server.send(
        DataKind::metrics,
        fmt::format(R"({{"timestamp":"{}","metricName":"heap","value":-1.25,"type":"gauge","tags":{{"pool":"eden"}}}})",
                    time));
    CHECK(co_await server.text("SELECT concat(application, instance_id, metric_name, metric_type, toString(value),"
                               " tags['pool']) AS v FROM agent_metrics FINAL") == "ordersagent-1heapgauge-1.25eden");
    co_await server.send(
        DataKind::events,
        fmt::format(R"({{"timestamp":"{}","type":"ROUTE_STOPPED","detail":{{"routeId":"r1","n":[1]}}}})", time));
    CHECK(co_await server.text("SELECT concat(event_type, detail) AS v FROM agent_events FINAL") ==
          R"(ROUTE_STOPPED{"routeId":"r1","n":[1]})");
  });
}

TEST_CASE("a diagram is stored once for its route and content, and the first stays") {
  test::run([](Executor executor) -> Task<> {
    const auto database = test::unique_database("diagrams");
    Server server(executor, test::PrivateEngine::shared(), database);
    co_await prepare(server, database);
    const auto diagram = [](const char* route, const char* more) {
      return fmt::format(R"({{"routeId":"{}","nodes":[{{"id":"a"}}],"edges":[{{"from":"a","to":"b"}}]{}}})", route,
                         more);
    };
    co_await server.send(DataKind::diagrams, "[" + diagram("r1", "") + "," + diagram("r2", "") + "]");
    server.now += std::chrono::hours(1);
    co_await server.send(DataKind::diagrams, diagram("r1", ""), "", "agent-2");
    CHECK(co_await server.rows("route_diagrams") == "2");
    CHECK(co_await server.text(
              "SELECT concat(instance_id, graph) AS v FROM route_diagrams FINAL WHERE route_id = 'r1'") ==
          R"(agent-1{"nodes":[{"id":"a"}],"edges":[{"from":"a","to":"b"}]})");
    co_await server.send(DataKind::diagrams, diagram("r1", R"(,"diagramHash":"h2","version":3,"source":"<route/>")"));
    CHECK(co_await server.text("SELECT concat(route_version, source) AS v FROM route_diagrams FINAL"
                               " WHERE diagram_hash = 'h2'") == "3<route/>");
  });
}

TEST_CASE("the catalogue knows from when to when a route was seen, whatever order and number of requests") {
  test::run([](Executor executor) -> Task<> {
    const auto database = test::unique_database("catalogue");
    Server server(executor, test::PrivateEngine::shared(), database);
    co_await prepare(server, database);
    const auto begin = server.now;
    const auto execution = [](std::string_view id, Instant start) {
      return fmt::format(
          R"({{"executionId":"{}","exchangeId":"x","routeId":"r1","status":"COMPLETED","startTime":"{}"}})", id,
          format_instant(start));
    };
    co_await server.send(DataKind::executions, execution("b", begin - std::chrono::minutes(5)));
    co_await server.send(DataKind::executions, execution("a", begin - std::chrono::minutes(9)));
    server.now += std::chrono::minutes(2);
    co_await server.send(DataKind::executions, execution("c", begin));
    co_await server.send(DataKind::executions, execution("c", begin));
    const auto seen = [&](const char* column, Instant at) {
      return fmt::format(
          "SELECT toString(toUnixTimestamp64Milli({}) = {}) AS v FROM route_catalog FINAL WHERE route_id = 'r1'",
          column, milliseconds_of(at));
    };
    CHECK(co_await server.text(seen("first_seen", begin - std::chrono::minutes(9))) == "1");
    CHECK(co_await server.text(seen("last_seen", begin)) == "1");
    CHECK(co_await server.rows("route_catalog") == "1");
    co_await server.send(DataKind::diagrams, R"({"routeId":"r2"})");
    CHECK(co_await server.text(
              fmt::format("SELECT toString(toUnixTimestamp64Milli(last_seen) = {}) AS v FROM route_catalog"
                          " FINAL WHERE route_id = 'r2'",
                          milliseconds_of(server.now))) == "1");
  });
}
