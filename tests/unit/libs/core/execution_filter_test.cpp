#include <cameleer/core/execution.hpp>
#include <cameleer/core/execution_filter.hpp>
#include <catch2/catch.hpp>

using namespace cameleer;

namespace {
const Instant kNow = instant_of(1'800'000'000'000);
}

TEST_CASE("a filter without times asks for the last day") {
  ExecutionFilter filter;
  REQUIRE(settle(filter, kNow));
  CHECK(filter.to == kNow);
  CHECK(filter.from == kNow - std::chrono::hours(24));
}

TEST_CASE("a wrong filter names its parameter") {
  struct Row {
    const char* parameter;  // null: right
    void (*change)(ExecutionFilter&);
  };
  const Row rows[] = {
      {nullptr, [](ExecutionFilter& f) { f.statuses = {"RUNNING", "COMPLETED", "FAILED", "INCOMPLETE"}; }},
      {nullptr, [](ExecutionFilter& f) { f.limit = 200; }},
      {nullptr, [](ExecutionFilter& f) { f.from = kNow + std::chrono::hours(1); }},
      {nullptr, [](ExecutionFilter& f) { f.duration_min_ms = f.duration_max_ms = 5; }},
      {"status", [](ExecutionFilter& f) { f.statuses = {"failed"}; }},
      {"limit", [](ExecutionFilter& f) { f.limit = 0; }},
      {"limit", [](ExecutionFilter& f) { f.limit = 201; }},
      {"from", [](ExecutionFilter& f) { f.from = f.to = kNow; }},
      {"from",
       [](ExecutionFilter& f) {
         f.from = kNow;
         f.to = kNow - std::chrono::hours(1);
       }},
      {"from", [](ExecutionFilter& f) { f.from = kNow - std::chrono::days(401); }},
      {"durationMin", [](ExecutionFilter& f) { f.duration_min_ms = -1; }},
      {"durationMax", [](ExecutionFilter& f) { f.duration_max_ms = -1; }},
      {"durationMin",
       [](ExecutionFilter& f) {
         f.duration_min_ms = 6;
         f.duration_max_ms = 5;
       }},
      {"application", [](ExecutionFilter& f) { f.applications = {""}; }},
      {"routeId", [](ExecutionFilter& f) { f.route_ids.assign(51, "r"); }},
      {"instanceId", [](ExecutionFilter& f) { f.instance_ids = {std::string(513, 'x')}; }},
      {"correlationId", [](ExecutionFilter& f) { f.correlation_id = std::string("a\0b", 3); }},
      {"exchangeId", [](ExecutionFilter& f) { f.exchange_id = std::string(513, 'x'); }},
      {"text", [](ExecutionFilter& f) { f.text = std::string(513, 'x'); }},
      {nullptr, [](ExecutionFilter& f) { f.attributes = {"orderId=4711", "note==", "empty="}; }},
      {"attribute", [](ExecutionFilter& f) { f.attributes = {"orderId=4711", "orderId"}; }},
      {"attribute", [](ExecutionFilter& f) { f.attributes = {"=4711"}; }},
      {"attribute", [](ExecutionFilter& f) { f.attributes.assign(51, "k=v"); }},
      {nullptr, [](ExecutionFilter& f) { f.error_words = "(9)"; }},
      {nullptr, [](ExecutionFilter& f) { f.error_words = "ö"; }},
      {"textInErrors", [](ExecutionFilter& f) { f.error_words = " .:@[`{/"; }},
      {"textInErrors", [](ExecutionFilter& f) { f.error_words = std::string(513, 'x'); }},
      {"textInHeaders", [](ExecutionFilter& f) { f.header_words = "-"; }},
  };
  for (const auto& row : rows) {
    ExecutionFilter filter;
    row.change(filter);
    const auto settled = settle(filter, kNow);
    CAPTURE(row.parameter ? row.parameter : "none", settled ? "" : settled.error().message);
    REQUIRE(settled.has_value() == (row.parameter == nullptr));
    if (!settled) {
      CHECK(settled.error().code == ErrorCode::invalid_parameter);
      CHECK(settled.error().member == row.parameter);
    }
  }
}

TEST_CASE("filters that differ have fingerprints that differ") {
  ExecutionFilter one, two;
  one.applications = {"ab", "c"};
  two.applications = {"a", "bc"};
  CHECK(fingerprint(one) != fingerprint(two));
  two.applications = {"c", "ab"};
  CHECK(fingerprint(one) == fingerprint(two));
  two.limit = 7;
  CHECK(fingerprint(one) == fingerprint(two));
  two.text = "x";
  CHECK(fingerprint(one) != fingerprint(two));
  one.text = "x";
  one.attributes = {"k=v"};
  CHECK(fingerprint(one) != fingerprint(two));
  two.attributes = {"k=v"};
  two.error_words = "x";
  CHECK(fingerprint(one) != fingerprint(two));
  one.header_words = "x";
  CHECK(fingerprint(one) != fingerprint(two));
}

TEST_CASE("end time and duration complete each other") {
  Execution execution;
  execution.status = "COMPLETED";
  execution.start_time = kNow;
  execution.end_time = kNow + std::chrono::milliseconds(42);
  complete_times(execution);
  CHECK(execution.duration_ms == 42);

  execution.end_time.reset();
  complete_times(execution);
  CHECK(execution.end_time == kNow + std::chrono::milliseconds(42));

  Execution set_back;
  set_back.start_time = kNow;
  set_back.end_time = kNow - std::chrono::milliseconds(1);
  complete_times(set_back);
  CHECK_FALSE(set_back.duration_ms.has_value());
}
