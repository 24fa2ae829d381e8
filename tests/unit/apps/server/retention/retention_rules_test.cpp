#include "server/retention/retention_rules.hpp"

#include <catch2/catch.hpp>

using namespace cameleer;
using namespace cameleer::server;
using std::chrono::days;

namespace {

constexpr auto kStart = Instant(std::chrono::milliseconds(1'800'000'000'000));

Instant day(int n) {
  return kStart + days(n);
}

}  // namespace

TEST_CASE("the lower of wish and cap holds, and who said it is told") {
  struct Row {
    std::optional<std::int64_t> wished;
    std::int64_t setting, cap;
    EffectiveDays expected;
  };
  const Row rows[] = {
      {std::nullopt, 30, 365, {days(30), RetentionSource::setting}},
      {std::nullopt, 30, 30, {days(30), RetentionSource::setting}},
      {std::nullopt, 30, 7, {days(7), RetentionSource::license}},
      {14, 30, 365, {days(14), RetentionSource::environment}},
      {90, 30, 365, {days(90), RetentionSource::environment}},
      {90, 30, 90, {days(90), RetentionSource::environment}},
      {90, 30, 89, {days(89), RetentionSource::license}},
      {36'500, 30, largest_license_limit, {days(36'500), RetentionSource::environment}},
      {1, 30, 0, {days(0), RetentionSource::license}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.wished.value_or(-1), row.setting, row.cap);
    CHECK(effective_days(row.wished, days(row.setting), row.cap) == row.expected);
  }
}

TEST_CASE("each kind has a name and a cap of its own") {
  for (const auto kind : telemetry_kinds) CHECK(telemetry_kind_named(name_of(kind)) == kind);
  CHECK_FALSE(telemetry_kind_named("executions"));
  CHECK(name_of(cap_of(TelemetryKind::execution)) == "max_execution_retention_days");
  CHECK(name_of(cap_of(TelemetryKind::log)) == "max_log_retention_days");
  CHECK(name_of(cap_of(TelemetryKind::metric)) == "max_metric_retention_days");
}

TEST_CASE("tables keep the most days that were in force within the delay") {
  struct Step {
    int day, in_force, stored;
  };
  struct Row {
    const char* what;
    int delay;
    std::vector<Step> steps;
  };
  const Row rows[] = {
      {"never lowered", 7, {{0, 30, 30}, {1, 30, 30}, {400, 30, 30}}},
      {"lowered: deleted when the delay is over", 7, {{0, 30, 30}, {1, 10, 30}, {7, 10, 30}, {8, 10, 10}}},
      {"without a delay at once", 0, {{0, 30, 30}, {1, 10, 10}, {2, 20, 20}}},
      {"raised: at once", 7, {{0, 10, 10}, {1, 30, 30}}},
      {"raised again within the delay: nothing is lost", 7, {{0, 30, 30}, {1, 10, 30}, {5, 30, 30}, {20, 30, 30}}},
      {"raised a little: what lies beyond still goes", 7, {{0, 30, 30}, {1, 10, 30}, {5, 20, 30}, {8, 20, 20}}},
      {"lowered twice: each has its own delay",
       7,
       {{0, 30, 30}, {1, 20, 30}, {5, 10, 30}, {7, 10, 30}, {8, 10, 20}, {11, 10, 20}, {12, 10, 10}}},
      {"lowered again and again: none waits for another",
       7,
       {{0, 9, 9}, {1, 8, 9}, {2, 7, 9}, {3, 6, 9}, {8, 6, 8}, {9, 6, 7}, {10, 6, 6}}},
      {"to and fro: counts from when it was last in force",
       7,
       {{0, 30, 30}, {1, 10, 30}, {2, 30, 30}, {3, 10, 30}, {9, 10, 30}, {10, 10, 10}}},
      {"seen after a long while: the delay begins then", 7, {{0, 30, 30}, {100, 10, 30}, {106, 10, 30}, {107, 10, 10}}},
      {"to nothing", 7, {{0, 1, 1}, {1, 0, 1}, {8, 0, 0}}},
  };
  for (const auto& row : rows) {
    std::optional<RetentionHistory> history;
    for (const auto& step : row.steps) {
      CAPTURE(row.what, step.day);
      history = advance(std::move(history), days(step.in_force), day(step.day), days(row.delay));
      CHECK(history->days == days(step.in_force));
      CHECK(history->stored_days() == days(step.stored));
    }
  }
}

TEST_CASE("a shorter delay counts for what waits already") {
  auto history = advance(RetentionHistory{.days = days(30)}, days(10), day(0), days(7));
  CHECK(advance(history, days(10), day(2), days(3)).stored_days() == days(30));
  CHECK(advance(history, days(10), day(3), days(3)).stored_days() == days(10));
}

TEST_CASE("a TTL has a clause for each number of days") {
  CHECK(ttl_of({{"default", days(30)}}, "time") == "time + toIntervalDay(30) WHERE environment IN ('default')");
  CHECK(ttl_of({{"a", days(30)}, {"b", days(7)}, {"c~1", days(30)}}, "start_time") ==
        "start_time + toIntervalDay(7) WHERE environment IN ('b'), "
        "start_time + toIntervalDay(30) WHERE environment IN ('a', 'c~1')");
  // No name is like that; none would break out.
  CHECK(ttl_of({{R"(a\' OR 1)", days(1)}}, "time") == R"(time + toIntervalDay(1) WHERE environment IN ('a\\\' OR 1'))");
}

TEST_CASE("what is stored is told of what is kept for less, or was not told of") {
  const RetentionClauses before{{"a", days(30)}, {"b", days(7)}};
  CHECK_FALSE(shortens(before, before));
  CHECK_FALSE(shortens(before, {{"a", days(31)}, {"b", days(7)}}));
  CHECK_FALSE(shortens(before, {{"b", days(7)}}));
  CHECK(shortens(before, {{"a", days(29)}, {"b", days(70)}}));
  CHECK(shortens(before, {{"a", days(30)}, {"b", days(7)}, {"c", days(30)}}));
  CHECK(shortens({}, before));
}
