#include <cameleer/core/processor_tree.hpp>

#include "executions_world.hpp"
#include "server/executions/execution_json.hpp"

using namespace cameleer;
using namespace cameleer::server;
using namespace cameleer::server::test;

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
