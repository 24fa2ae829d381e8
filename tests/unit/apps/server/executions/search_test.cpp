#include <set>

#include "executions_world.hpp"
#include "server/executions/execution_query.hpp"

using namespace cameleer;
using namespace cameleer::server;
using namespace cameleer::server::test;

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
