#include <fmt/format.h>

#include <boost/json.hpp>
#include <cameleer/core/processor_tree.hpp>
#include <catch2/catch.hpp>
#include <set>

#include "../../../libs/clickhouse/engine_session.hpp"
#include "../../../libs/clickhouse/server_schema.hpp"
#include "server/executions/execution_json.hpp"
#include "server/executions/execution_query.hpp"
#include "server/ingest/ingest_service.hpp"

using namespace cameleer;
using namespace cameleer::server;
using std::chrono::milliseconds;

namespace {

Instant real_now() {
  return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
}

constexpr std::chrono::days kKept{30};

async::Task<Expected<ReadableEnvironment>> readable(std::string slug) {
  if (slug == "default" || slug == "test") co_return ReadableEnvironment{slug, kKept};
  if (slug == "again") co_return ReadableEnvironment{"again~2", kKept};
  co_return fail(ErrorCode::environment_not_found, "There is no environment of this name.", "environment");
}

// Ingest and search over one database of a real engine. `now` is the clock of both.
struct World {
  Instant now = real_now();
  Instant start = now - std::chrono::minutes(10);  // of what is ingested
  std::string database = test::unique_database("executions");
  clickhouse::Client engine;
  async::WorkerPool workers{1, 64};
  IngestService ingest;
  ExecutionsService executions;

  explicit World(async::Executor executor)
      : engine(executor, test::options_for(test::PrivateEngine::shared(), database)),
        ingest(executor, engine, workers, [this] { return now; }, {}),
        executions(engine, readable, [this] { return now; }, {.cursor_key = std::vector<std::byte>(32, std::byte{1})}) {
  }

  [[nodiscard]] std::string record(std::string_view id, milliseconds after = milliseconds(0),
                                   std::string_view status = "COMPLETED", std::string_view more = "") const {
    return fmt::format(R"({{"executionId":"{}","exchangeId":"x-{}","routeId":"r","status":"{}","startTime":"{}"{}{}}})",
                       id, id, status, format_instant(start + after), more.empty() ? "" : ",", more);
  }

  async::Task<> send(std::string body, std::string environment = "default", DataKind kind = DataKind::executions,
                     std::string data_name = "") {
    Principal agent;
    agent.kind = Principal::Kind::agent;
    agent.id = "agent-1";
    agent.environment = std::move(environment);
    agent.data_name = std::move(data_name);
    agent.application = "orders";
    const auto result = co_await ingest.ingest(kind, agent, std::move(body));
    if (!result) throw std::runtime_error(result.error().message + " " + result.error().member);
  }

  async::Task<ExecutionPage> page(ExecutionFilter filter = {}, std::string cursor = "",
                                  std::string environment = "default") {
    auto found = co_await executions.search(std::move(environment), std::move(filter), std::move(cursor));
    if (!found) throw std::runtime_error(found.error().message);
    co_return *std::move(found);
  }

  async::Task<std::vector<std::string>> ids(ExecutionFilter filter = {}, std::string environment = "default") {
    const auto found = co_await page(std::move(filter), "", std::move(environment));
    std::vector<std::string> ids;
    for (const auto& row : found.items) ids.push_back(row.execution.execution_id);
    CHECK(found.total == ids.size());
    co_return ids;
  }
};

// Runs `body(world)` against a migrated database.
template <class Body>
void in_world(Body body) {
  test::run([&body](async::Executor executor) -> async::Task<> {
    World world(executor);
    const auto migrated = co_await test::migrate(world.engine, world.database, CAMELEER_CLICKHOUSE_SCHEMA);
    if (!migrated) throw std::runtime_error(migrated.error().message);
    co_await body(world);
    co_await world.ingest.stop();
  });
}

std::string step(std::uint32_t seq, std::int64_t parent, Instant start, std::string_view more = "") {
  return fmt::format(
      R"({{"seq":{},{}"processorId":"p{}","processorType":"log","status":"COMPLETED","startTime":"{}"{}{}}})", seq,
      parent < 0 ? "" : fmt::format("\"parentSeq\":{},", parent), seq, format_instant(start), more.empty() ? "" : ",",
      more);
}

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("what an environment of the same name left behind is not seen") {
  in_world([](World& w) -> async::Task<> {
    co_await w.send(w.record("old"), "again");
    CHECK((co_await w.ids({}, "again")).empty());
    co_await w.send(w.record("new"), "again", DataKind::executions, "again~2");
    const auto found = co_await w.page({}, "", "again");
    REQUIRE(found.items.size() == 1);
    CHECK(found.items.front().execution.execution_id == "new");
    CHECK(found.items.front().environment == "again");
    const auto detail = co_await w.executions.find("again", "new", std::nullopt);
    REQUIRE(detail);
    CHECK(detail->row.environment == "again");
    CHECK_FALSE(co_await w.executions.find("again", "old", std::nullopt));
  });
}

TEST_CASE("what was ingested is read back whole") {
  in_world([](World& w) -> async::Task<> {
    const auto more = fmt::format(
        R"("correlationId":"c","instanceId":"i","durationMs":42,"errorMessage":"boom € \u0000","errorStackTrace":"at",)"
        R"("inputBody":"in\u0000","inputHeaders":{{"h":"1\t'\\"}},"outputBody":"","attributes":{{"k":"v"}},)"
        R"("parentExecutionId":"e0","fromEndpoint":"direct:a","engineLevel":"REGULAR","diagramHash":"d","replayOf":"e9",)"
        R"("processorExecutions":[{},{}])",
        step(0, -1, w.start, R"("status":"FAILED")"),
        step(
            1, 0, w.start,
            R"("status":"FAILED","durationMs":5,"iteration":1,"iterationSize":2,"loopIndex":3,"splitIndex":4,"multicastIndex":5,"endpointUri":"a","resolvedEndpointUri":"b","errorMessage":"e","inputBody":"i","outputHeaders":{"c":"d"},"attributes":{"e":"f"},"filterMatched":true,"duplicateMessage":false,"circuitBreakerState":"OPEN")"));
    co_await w.send(w.record("e1", milliseconds(0), "FAILED", more));
    for (const std::optional<Instant> at : {std::optional<Instant>(), std::optional(w.start), std::optional(w.now)}) {
      const auto found = co_await w.executions.find("default", "e1", at);
      REQUIRE(found.has_value());
      const auto& row = found->row;
      const auto& e = row.execution;
      CHECK(row.environment == "default");
      CHECK(e.execution_id == "e1");
      CHECK(e.application == "orders");
      CHECK(e.instance_id == "i");
      CHECK(e.start_time == w.start);
      CHECK(e.end_time == w.start + milliseconds(42));
      CHECK(e.duration_ms == 42);
      CHECK(e.error_message == std::string("boom € \0", 10));
      CHECK(e.message.input_body == Body{std::string("in\0", 3), 3});
      CHECK(e.message.output_body == Body{"", 0});
      CHECK(e.message.input_headers == StringMap{{"h", "1\t'\\"}});
      CHECK(e.attributes == StringMap{{"k", "v"}});
      CHECK(e.parent_execution_id == "e0");
      CHECK(e.from_endpoint == "direct:a");
      CHECK(e.engine_level == "REGULAR");
      CHECK(e.diagram_hash == "d");
      CHECK(e.replay_of == "e9");
      CHECK(row.failed_processor_id == "p1");
      CHECK(row.failed_processor_type == "log");
      CHECK(row.processor_count == 2);
      REQUIRE(e.processors.size() == 2);
      const auto& p = e.processors[1];
      CHECK(p.parent_seq == 0u);
      CHECK(p.duration_ms == 5);
      CHECK(p.iteration == 1);
      CHECK(p.iteration_size == 2);
      CHECK(p.loop_index == 3);
      CHECK(p.split_index == 4);
      CHECK(p.multicast_index == 5);
      CHECK(p.endpoint_uri == "a");
      CHECK(p.resolved_endpoint_uri == "b");
      CHECK(p.message.input_body == Body{"i", 1});
      CHECK_FALSE(p.message.output_body.has_value());
      CHECK(p.message.output_headers == StringMap{{"c", "d"}});
      CHECK(p.filter_matched == true);
      CHECK(p.duplicate_message == false);
      CHECK(p.circuit_breaker_state == "OPEN");
      CHECK_FALSE(e.processors[0].filter_matched.has_value());
    }
  });
}

TEST_CASE("a body sent twice shows once") {
  in_world([](World& w) -> async::Task<> {
    const auto body =
        w.record("e1", milliseconds(0), "COMPLETED", "\"processorExecutions\":[" + step(0, -1, w.start) + "]");
    co_await w.send(body);
    w.now += std::chrono::seconds(5);
    co_await w.send("[" + body + "," + body + "]");
    CHECK(co_await w.ids() == Ids{"e1"});
    const auto found = co_await w.executions.find("default", "e1", {});
    REQUIRE(found.has_value());
    CHECK(found->row.execution.processors.size() == 1);
  });
}

TEST_CASE("an execution that finishes replaces itself, one that is not heard of again is incomplete") {
  in_world([](World& w) -> async::Task<> {
    co_await w.send(w.record("e1", milliseconds(0), "RUNNING"));
    ExecutionFilter running{.statuses = {"RUNNING"}}, incomplete{.statuses = {"INCOMPLETE"}};
    CHECK(co_await w.ids(running) == Ids{"e1"});
    CHECK(co_await w.ids(incomplete) == Ids{});
    w.now += std::chrono::minutes(6);
    CHECK(co_await w.ids(running) == Ids{});
    CHECK(co_await w.ids(incomplete) == Ids{"e1"});
    const auto stale = co_await w.page();
    CHECK(stale.items.at(0).execution.status == "INCOMPLETE");
    co_await w.send(w.record("e1", milliseconds(0), "COMPLETED", R"("durationMs":360000)"));
    const auto finished = co_await w.page();
    REQUIRE(finished.items.size() == 1);
    CHECK(finished.items[0].execution.status == "COMPLETED");
    co_await w.send(w.record("e1", milliseconds(0), "RUNNING"));
    const auto still = co_await w.page();
    REQUIRE(still.items.size() == 1);
    CHECK(still.items[0].execution.status == "COMPLETED");
  });
}

TEST_CASE("pages give every row that was there exactly once, whatever arrives meanwhile") {
  in_world([](World& w) -> async::Task<> {
    std::set<std::string> expected;
    for (int i = 0; i < 25; ++i) {
      // Some share a start time; some are under way.
      co_await w.send(
          w.record(fmt::format("old-{:02}", i), milliseconds(i / 3 * 10), i % 5 == 0 ? "RUNNING" : "COMPLETED"));
      expected.insert(fmt::format("old-{:02}", i));
    }
    std::multiset<std::string> seen;
    std::string cursor;
    int round = 0;
    std::uint64_t total = 0;
    do {
      const auto page = co_await w.page({.limit = 4}, cursor);
      for (const auto& row : page.items) seen.insert(row.execution.execution_id);
      total = page.total;
      cursor = page.next_cursor;
      w.now += std::chrono::seconds(1);
      // Late rows between the present ones, a repetition, and one that finishes.
      co_await w.send(w.record(fmt::format("new-{:02}", round), milliseconds(round * 10 + 5)));
      co_await w.send(w.record(fmt::format("old-{:02}", (round * 4 + 1) % 25 / 5 * 5 + 1),
                               milliseconds(((round * 4 + 1) % 25 / 5 * 5 + 1) / 3 * 10)));
      co_await w.send(
          w.record(fmt::format("old-{:02}", round * 5 % 25), milliseconds(round * 5 % 25 / 3 * 10), "FAILED"));
      ++round;
    } while (!cursor.empty() && round < 50);
    CHECK(round == 7);
    CHECK(total == 25);
    CHECK(seen.size() == expected.size());
    CHECK(std::set<std::string>(seen.begin(), seen.end()) == expected);
    CHECK((co_await w.page()).items.size() == 25u + static_cast<unsigned>(round));
  });
}

TEST_CASE("a cursor is good for its own search only") {
  in_world([](World& w) -> async::Task<> {
    for (int i = 0; i < 3; ++i) co_await w.send(w.record(fmt::format("e{}", i), milliseconds(i)));
    const auto first = co_await w.page({.limit = 1});
    REQUIRE_FALSE(first.next_cursor.empty());
    const auto refused = [&](std::string environment, ExecutionFilter filter, std::string cursor) -> async::Task<bool> {
      const auto found = co_await w.executions.search(std::move(environment), std::move(filter), std::move(cursor));
      co_return !found && found.error().code == ErrorCode::invalid_parameter && found.error().member == "cursor";
    };
    CHECK(co_await refused("test", {.limit = 1}, first.next_cursor));
    CHECK(co_await refused("default", {.text = "x", .limit = 1}, first.next_cursor));
    CHECK(co_await refused("default", {.limit = 1}, first.next_cursor + "A"));
    CHECK((co_await w.page({.limit = 2}, first.next_cursor)).items.size() == 2);
  });
}

TEST_CASE("environments do not see each other") {
  in_world([](World& w) -> async::Task<> {
    co_await w.send(w.record("e1", milliseconds(0), "COMPLETED", R"("correlationId":"c")"));
    co_await w.send(w.record("e2", milliseconds(0), "COMPLETED", R"("correlationId":"c")"), "test");
    CHECK(co_await w.ids() == Ids{"e1"});
    CHECK(co_await w.ids({}, "test") == Ids{"e2"});
    const auto mine = co_await w.executions.find("default", "e1", {});
    REQUIRE(mine.has_value());
    CHECK(mine->correlated.empty());
    const auto foreign = co_await w.executions.find("test", "e1", {});
    REQUIRE_FALSE(foreign.has_value());
    CHECK(foreign.error().code == ErrorCode::execution_not_found);
    const auto nowhere = co_await w.executions.search("prod", {}, "");
    REQUIRE_FALSE(nowhere.has_value());
    CHECK(nowhere.error().code == ErrorCode::environment_not_found);
  });
}

TEST_CASE("each filter restricts as it says") {
  in_world([](World& w) -> async::Task<> {
    co_await w.send(
        "[" +
        w.record("a", milliseconds(1), "COMPLETED",
                 R"("application":"app-1","instanceId":"i-1","durationMs":5,"attributes":{"k":"v","Order Id":"4=7"})") +
        "," +
        w.record(
            "b", milliseconds(2), "FAILED",
            R"x("application":"app-2","routeId":"r-2","durationMs":50,"errorMessage":"No STÖCK here","errorStackTrace":"at io.Shop.take(Shop.java:7)","attributes":{"k":"w","l":"v"})x") +
        "," +
        w.record(
            "c", milliseconds(3), "COMPLETED",
            R"("instanceId":"i-1","correlationId":"Corr-7","durationMs":500,"inputHeaders":{"method":"Post"},"outputHeaders":{"order":"no. 4711"})") +
        "," + w.record("d", milliseconds(4), "RUNNING", R"("routeId":"r'2\\")") + "]");
    struct Row {
      const char* what;
      ExecutionFilter filter;
      Ids expected;
    };
    std::string many_words;
    for (int i = 0; i < 150; ++i) many_words += fmt::format("{:x} ", i);
    const Row rows[] = {
        {"nothing", {}, {"d", "c", "b", "a"}},
        {"status", {.statuses = {"FAILED"}}, {"b"}},
        {"states", {.statuses = {"FAILED", "RUNNING"}}, {"d", "b"}},
        {"from and to", {.from = w.start + milliseconds(2), .to = w.start + milliseconds(4)}, {"c", "b"}},
        {"shortest", {.duration_min_ms = 50}, {"c", "b"}},
        {"longest", {.duration_max_ms = 50}, {"b", "a"}},
        {"application", {.applications = {"app-1", "orders"}}, {"d", "c", "a"}},
        {"route", {.route_ids = {"r-2"}}, {"b"}},
        {"a route with quotes", {.route_ids = {"r'2\\"}}, {"d"}},
        {"instance", {.instance_ids = {"i-1"}}, {"c", "a"}},
        {"correlation", {.correlation_id = "Corr-7"}, {"c"}},
        {"correlation in another case", {.correlation_id = "corr-7"}, {}},
        {"exchange", {.exchange_id = "x-b"}, {"b"}},
        {"text in the error", {.text = "stöck"}, {"b"}},
        {"text in an id", {.text = "CORR"}, {"c"}},
        {"text in the exchange id", {.text = "X-A"}, {"a"}},
        {"text in the route", {.text = "R-2"}, {"b"}},
        {"text that is SQL", {.text = "') OR 1=1 --"}, {}},
        {"attribute", {.attributes = {"k=v"}}, {"a"}},
        {"attribute with an equals sign", {.attributes = {"Order Id=4=7"}}, {"a"}},
        {"all attributes", {.attributes = {"k=w", "l=v"}}, {"b"}},
        {"attributes of several", {.attributes = {"k=v", "l=v"}}, {}},
        {"attribute in another case", {.attributes = {"K=v"}}, {}},
        {"word of an error", {.error_words = "stöck"}, {"b"}},
        {"words of message and stack", {.error_words = "shop:HERE"}, {"b"}},
        {"words that are not all there", {.error_words = "stöck gone"}, {}},
        {"part of a word", {.error_words = "sto"}, {}},
        {"more words than any error has", {.error_words = many_words}, {}},
        {"words of headers", {.header_words = "POST 4711"}, {"c"}},
        {"the name of a header", {.header_words = "method"}, {}},
        {"all together",
         {.statuses = {"COMPLETED"}, .duration_min_ms = 6, .applications = {"orders"}, .text = "c"},
         {"c"}},
    };
    for (const auto& row : rows) {
      CAPTURE(row.what);
      CHECK(co_await w.ids(row.filter) == row.expected);
    }
  });
}

TEST_CASE("searches are answered by the indexes that are made for them") {
  in_world([](World& w) -> async::Task<> {
    co_await w.send(w.record("a", milliseconds(0), "FAILED", R"("errorMessage":"no stock","attributes":{"k":"v"})"));
    struct Row {
      const char* index;
      ExecutionFilter filter;
    };
    const Row rows[] = {
        {"attribute_text", {.attributes = {"k=w", "l=v"}}}, {"error_text", {.error_words = "gone"}},
        {"header_text", {.header_words = "gone"}},          {"correlation_bloom", {.correlation_id = "c"}},
        {"exchange_bloom", {.exchange_id = "x"}},
    };
    for (const auto& row : rows) {
      CAPTURE(row.index);
      const ReadScope scope{.tenant = "default",
                            .environment = "default",
                            .from = w.start,
                            .to = w.now,
                            .oldest = w.start,
                            .as_of = w.now + std::chrono::hours(1),
                            .stale_before = w.start};
      ExecutionQuery query(ExecutionQuery::Table::executions, scope);
      query.visible().matching(row.filter);
      std::string plan;
      REQUIRE_WORKED(co_await w.engine.select("EXPLAIN indexes = 1 " + query.sql("execution_id", ""),
                                              query.parameters(), [&plan](const clickhouse::Row& line) {
                                                plan += std::string(line.text(0)) + "\n";
                                                return true;
                                              }));
      CAPTURE(plan);
      const auto named = plan.find(std::string("Name: ") + row.index);
      REQUIRE(named != std::string::npos);
      // What is looked for is nowhere, so the index leaves nothing to read.
      CHECK_THAT(plan.substr(named), Catch::Contains("Granules: 0/1"));
    }
  });
}

TEST_CASE("what is older than the retention is not seen, however one asks for it") {
  in_world([](World& w) -> async::Task<> {
    using std::chrono::days;
    const auto old_start = w.start - days(25);
    co_await w.send(w.record("old", old_start - w.start, "COMPLETED", R"("correlationId":"c")"));
    co_await w.send(w.record("younger", -days(20), "COMPLETED", R"("correlationId":"c")"));
    const ExecutionFilter since{.from = w.start - days(60)};
    CHECK(co_await w.ids(since) == Ids{"younger", "old"});
    CHECK(co_await w.executions.find("default", "old", std::nullopt));
    CHECK((co_await w.executions.find("default", "younger", std::nullopt))->correlated.size() == 1);

    w.now += days(6);
    CHECK(co_await w.ids(since) == Ids{"younger"});
    CHECK((co_await w.page(since)).from == w.now - kKept);
    CHECK((co_await w.page({.from = w.start - days(60), .to = w.start - days(50)})).items.empty());
    for (const auto at : {std::optional<Instant>(), std::optional(old_start)}) {
      const auto found = co_await w.executions.find("default", "old", at);
      REQUIRE_FALSE(found);
      CHECK(found.error().code == ErrorCode::execution_not_found);
    }
    CHECK((co_await w.executions.find("default", "younger", std::nullopt))->correlated.empty());
  });
}

TEST_CASE("pages that are turned slowly show nothing that has gone meanwhile") {
  in_world([](World& w) -> async::Task<> {
    using std::chrono::days;
    for (int i = 0; i < 4; ++i) co_await w.send(w.record(fmt::format("e{}", i), -days(26 + i)));
    const ExecutionFilter filter{.from = w.start - days(60), .limit = 1};
    const auto first = co_await w.page(filter);
    CHECK(first.total == 4);
    w.now += days(2);
    const auto second = co_await w.page(filter, first.next_cursor);
    REQUIRE(second.items.size() == 1);
    CHECK(second.items.front().execution.execution_id == "e1");
    CHECK(second.next_cursor.empty());
  });
}

TEST_CASE("executions of one correlation are found, oldest first") {
  in_world([](World& w) -> async::Task<> {
    for (int i = 3; i >= 0; --i) {
      co_await w.send(w.record(fmt::format("e{}", i), milliseconds(i), "COMPLETED",
                               i == 2 ? R"("correlationId":"other")" : R"("correlationId":"c")"));
    }
    const auto found = co_await w.executions.find("default", "e1", {});
    REQUIRE(found.has_value());
    Ids ids;
    for (const auto& row : found->correlated) ids.push_back(row.execution.execution_id);
    CHECK(ids == Ids{"e0", "e3"});
  });
}

TEST_CASE("the total is exact up to 10,000 and a lower bound beyond") {
  in_world([](World& w) -> async::Task<> {
    std::string body = "[";
    for (int i = 0; i < 9'999; ++i) body += w.record(fmt::format("e{}", i), milliseconds(i)) + ",";
    co_await w.send(body + w.record("last", milliseconds(0)) + "]");
    const auto exact = co_await w.page();
    CHECK(exact.total == 10'000);
    CHECK_FALSE(exact.total_is_lower_bound);
    co_await w.send(w.record("one more"));
    const auto bound = co_await w.page();
    CHECK(bound.total == 10'000);
    CHECK(bound.total_is_lower_bound);
  });
}

TEST_CASE("an execution of 20,000 processors in one line of descent is stored and read") {
  in_world([](World& w) -> async::Task<> {
    std::string steps;
    for (std::uint32_t i = 0; i < 20'000; ++i)
      steps += (i ? "," : "") + step(i, static_cast<std::int64_t>(i) - 1, w.start);
    co_await w.send(w.record("deep", milliseconds(0), "COMPLETED", "\"processorExecutions\":[" + steps + "]"));
    const auto found = co_await w.executions.find("default", "deep", w.start);
    REQUIRE(found.has_value());
    const auto& processors = found->row.execution.processors;
    REQUIRE(processors.size() == 20'000);
    CHECK(build_processor_tree(processors).depth.back() == 19'999);
    CHECK(to_json(*found).size() > 20'000 * 100);
  });
}

TEST_CASE("an execution that comes in parts shows the processors of all of them, in whatever order they come") {
  in_world([](World& w) -> async::Task<> {
    const auto part = [&w](std::string_view status, std::uint32_t number, std::string_view steps,
                           std::string_view more) {
      return fmt::format(
          R"({{"exchange":{{"executionId":"e1","exchangeId":"x1","routeId":"r","status":"{}","startTime":"{}"}},)"
          R"("chunkSeq":{},"processors":[{}]{}}})",
          status, format_instant(w.start), number, steps, more);
    };
    const auto failed = fmt::format(
        R"({{"seq":3,"parentSeq":1,"processorId":"p3","processorType":"bean","status":"FAILED","startTime":"{}"}})",
        format_instant(w.start));
    co_await w.send(part("FAILED", 2, failed, R"(,"final":true)"), "default", DataKind::chunks);
    co_await w.send(part("RUNNING", 0, step(0, -1, w.start) + "," + step(1, 0, w.start), ""), "default",
                    DataKind::chunks);
    co_await w.send(part("RUNNING", 1, step(2, 1, w.start), ""), "default", DataKind::chunks);
    co_await w.send(w.record("whole", milliseconds(5), "COMPLETED",
                             fmt::format(R"("correlationId":"c","processorExecutions":[{}])", step(0, -1, w.start))));
    const auto page = co_await w.page();
    REQUIRE(page.items.size() == 2);
    CHECK(page.items[0].processor_count == 1);
    CHECK(page.items[1].execution.status == "FAILED");
    CHECK(page.items[1].processor_count == 4);
    const auto found = co_await w.executions.find("default", "e1", std::nullopt);
    REQUIRE(found.has_value());
    CHECK(found->row.processor_count == 4);
    CHECK(found->row.failed_processor_id == "p3");
    std::vector<std::uint32_t> seqs;
    for (const auto& one : found->row.execution.processors) seqs.push_back(one.seq);
    CHECK(seqs == std::vector<std::uint32_t>{0, 1, 2, 3});
  });
}

TEST_CASE("a later part of a running execution is shown, also when it came first") {
  in_world([](World& w) -> async::Task<> {
    for (const auto number : {7, 2}) {
      co_await w.send(
          fmt::format(R"({{"exchange":{{"executionId":"e1","exchangeId":"x","routeId":"r","status":"RUNNING",)"
                      R"("startTime":"{}","attributes":{{"n":"{}"}}}},"chunkSeq":{}}})",
                      format_instant(w.start), number, number),
          "default", DataKind::chunks);
    }
    const auto page = co_await w.page();
    REQUIRE(page.items.size() == 1);
    CHECK(page.items[0].execution.status == "RUNNING");
    CHECK(page.items[0].execution.attributes == StringMap{{"n", "7"}});
    CHECK(page.items[0].processor_count == 0);
  });
}
