// Whatever becomes of rows and of the job, what is answered is what sorting all rows gives.
#include <catch2/catch.hpp>

#include "rollups_on_loop.hpp"

using namespace cameleer;
using namespace cameleer::test;
using server::minute_of;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

namespace {

constexpr std::uint64_t kFinished = std::uint64_t{1} << 63;
constexpr std::uint64_t kRunning = std::uint64_t{1} << 32;

// Executions of three environments over some hours and up to now, and what happens to them.
struct Traffic : RollupsOnLoop {
  template <class Number>
  Number any(Number low, Number high) {
    return std::uniform_int_distribution<Number>(low, high)(dice);
  }
  std::string one_of(std::initializer_list<const char*> values) {
    return *(values.begin() + any<std::ptrdiff_t>(0, static_cast<std::ptrdiff_t>(values.size()) - 1));
  }

  // Durations over six orders of magnitude, some zero, some not known.
  std::int64_t duration() {
    switch (any(0, 19)) {
      case 0:
        return 0;
      case 1:
        return -1;
      default:
        return static_cast<std::int64_t>(std::lognormal_distribution<double>(4, 2.5)(dice));
    }
  }

  RecordedRow execution(Instant from, Instant to) {
    RecordedRow row;
    row.environment = one_of({"default", "default", "staging", "prod~2"});
    row.application = one_of({"orders", "warehouse"});
    row.route_id = one_of({"r1", "r2", "r3"});
    row.status = any(0, 9) == 0 ? "FAILED" : "COMPLETED";
    row.start_time = from + milliseconds(any<std::int64_t>(0, (to - from).count() - 1));
    row.duration_ms = duration();
    row.execution_id = fmt::format("e{}", ++executions);
    row.version = kFinished + any<std::uint64_t>(1'000, 2'000);
    return row;
  }
  void add_steps(std::vector<RecordedRow>& rows, const RecordedRow& execution) {
    const int steps = any(0, 3);
    for (int seq = 0; seq < steps; ++seq) {
      auto step = execution;
      step.seq = static_cast<std::uint32_t>(seq);
      step.processor_id = fmt::format("p{}", seq);
      step.processor_type = seq == 0 ? "log" : "to";
      step.duration_ms = duration();
      rows.push_back(std::move(step));
    }
  }

  // Some run at first, and end now or later.
  void send(Instant from, Instant to, int count) {
    std::vector<RecordedRow> rows;
    for (int i = 0; i < count; ++i) {
      auto row = execution(from, to);
      if (any(0, 4) == 0) {
        unfinished.push_back(row);
        row.status = "RUNNING";
        row.version = kRunning + any<std::uint64_t>(0, 1'000);
        row.duration_ms = -1;
      }
      add_steps(rows, row);
      rows.push_back(row);
    }
    insert(rows);
    sent.push_back(std::move(rows));
  }
  void finish_some() {
    std::vector<RecordedRow> rows;
    for (auto count = unfinished.size() / 2; count > 0; --count) {
      rows.push_back(unfinished.back());
      add_steps(rows, unfinished.back());
      unfinished.pop_back();
    }
    insert(rows);
    if (!rows.empty()) sent.push_back(std::move(rows));
  }
  void replay() { insert(sent[any<std::size_t>(0, sent.size() - 1)]); }
  // The same executions again, of other routes and ends: what came first ranks higher, whichever was stored first.
  void correct() {
    auto rows = sent[any<std::size_t>(0, sent.size() - 1)];
    for (auto& row : rows) {
      if (row.status == "RUNNING") continue;
      row.version += 10'000;
      row.application = one_of({"orders", "warehouse", "billing"});
      row.route_id = one_of({"r1", "r4"});
      row.status = one_of({"COMPLETED", "FAILED"});
      row.duration_ms = duration();
    }
    insert(rows);
    sent.push_back(std::move(rows));
  }
  // A job that died between a statement and its position.
  void die_half_way() {
    for (const auto kind : server::kRollupKinds) {
      const auto from = start + minutes(any(0, 170));
      REQUIRE(run(store.replace(kind, one_of({"default", "staging", "prod~2"}),
                                {minute_of(from), minute_of(from) + minutes(any(1, 9))})));
    }
  }
  void compare_all() {
    for (const char* environment : {"default", "staging", "prod~2"}) compare(environment, start, newest + minutes(2));
  }

  std::mt19937_64 dice;
  Instant newest = minute_of(run(store.now()).value()), start = newest - hours(3);
  int executions = 0;
  std::vector<RecordedRow> unfinished;
  std::vector<std::vector<RecordedRow>> sent;
};

}  // namespace

TEST_CASE_METHOD(Traffic, "statistics are exact before the job ever ran") {
  dice.seed(1);
  send(start, newest + minutes(1), 200);
  const auto sources = run(statistics.sources(server::RollupKind::routes, "default", {start, newest})).value();
  CHECK(sources.rolled.empty());
  CHECK(sources.raw == std::vector<server::MinuteRange>{{start, newest}});
  compare_all();
}

TEST_CASE_METHOD(Traffic, "statistics stay exact through replays, late data, corrections and dying jobs") {
  const auto seed = GENERATE(11u, 12u);
  dice.seed(seed);
  auto* holder = first.get();
  for (int round = 0; round < 8; ++round) {
    INFO("seed " << seed << ", round " << round);
    send(start, newest + minutes(1), 60);
    for (int events = any(1, 3); events > 0; --events) {
      switch (any(0, 5)) {
        case 0:
          finish_some();
          break;
        case 1:
          replay();
          break;
        case 2:
          correct();
          break;
        case 3:
          send(start, start + minutes(20), 20);
          break;
        case 4:
          die_half_way();
          break;
        default:
          execute("OPTIMIZE TABLE executions FINAL");
          execute("OPTIMIZE TABLE route_minutes FINAL");
          break;
      }
    }
    compare_all();
    if (any(0, 2) == 0) continue;  // the job is late
    if (any(0, 3) == 0) {          // and another one takes it over
      now += minutes(2);
      holder = holder == first.get() ? second.get() : first.get();
    }
    roll_up(*holder);
    compare_tables(holder->position()->minutes_before);
    compare_all();
  }
}

TEST_CASE_METHOD(
    Traffic, "the newest two minutes come from the rows, those with new rows as well, all others from the roll-ups") {
  const auto until = newest + minutes(10);  // a slow test sees some of these minutes go by
  dice.seed(2);
  send(start, newest, 100);
  roll_up(*first);
  const auto position = first->position().value();
  CHECK(position.minutes_before <= minute_of(run(store.now()).value()) - minutes(1));
  CHECK(position.minutes_before >= newest - minutes(1));
  auto sources = run(statistics.sources(server::RollupKind::routes, "default", {start, until})).value();
  CHECK(sources.rolled == std::vector<server::MinuteRange>{{start, position.minutes_before}});
  CHECK(sources.raw == std::vector<server::MinuteRange>{{position.minutes_before, until}});

  auto late = execution(start + minutes(5), start + minutes(6));
  late.environment = "default";
  insert({late});
  sources = run(statistics.sources(server::RollupKind::routes, "default", {start, until})).value();
  REQUIRE(sources.raw.size() == 2);
  CHECK(sources.raw.front() == server::MinuteRange{start + minutes(5), start + minutes(6)});
  CHECK(run(statistics.sources(server::RollupKind::routes, "staging", {start, until})).value().raw.size() == 1);
  CHECK(run(statistics.sources(server::RollupKind::processors, "default", {start, until})).value().raw.size() == 1);
  compare_all();
}

TEST_CASE_METHOD(RollupsOnLoop, "figures add up over minutes, routes and applications") {
  const auto start = minute_of(run(store.now()).value()) - hours(2);
  std::vector<RecordedRow> rows;
  for (int i = 0; i < 1'000; ++i) {
    rows.push_back({.application = i % 4 == 0 ? "billing" : "orders",
                    .route_id = i % 2 == 0 ? "even" : "odd",
                    .status = i % 10 == 0 ? "FAILED" : "COMPLETED",
                    .start_time = start + std::chrono::seconds(i * 6),
                    .duration_ms = i + 1,
                    .execution_id = fmt::format("e{}", i)});
  }
  insert(rows);
  roll_up(*first);
  insert({rows[700]});  // once more: its minute comes from the rows
  const server::StatisticsQuery all{.environment = "default", .from = start, .to = start + minutes(100)};
  const auto total = read(all);
  REQUIRE(total.size() == 1);
  CHECK(total[0].at == Instant{});
  CHECK(total[0].count == 1'000);
  CHECK(total[0].failed == 100);
  CHECK(total[0].duration_sum_ms == 500'500);
  CHECK(total[0].duration_max_ms == 1'000);
  CHECK(*total[0].p50_ms == Approx(500).epsilon(0.01));
  CHECK(*total[0].p95_ms == Approx(950).epsilon(0.01));
  CHECK(*total[0].p99_ms == Approx(990).epsilon(0.01));

  auto query = all;
  query.by = server::StatisticsQuery::By::application;
  const auto applications = read(query);
  REQUIRE(applications.size() == 2);
  CHECK(applications[0].application == "billing");
  CHECK(applications[0].count == 250);
  CHECK(applications[1].count == 750);

  query.by = server::StatisticsQuery::By::route;
  query.applications = {"orders"};
  query.route_ids = {"even", "none"};
  const auto routes = read(query);
  REQUIRE(routes.size() == 1);
  CHECK(routes[0].route_id == "even");
  CHECK(routes[0].count == 250);

  query = all;
  query.bucket = minutes(10);
  const auto series = read(query);
  std::uint64_t count = 0;
  for (const auto& bucket : series) {
    CHECK(bucket.at == Instant(std::chrono::floor<std::chrono::duration<std::int64_t, std::ratio<600>>>(
                           bucket.at.time_since_epoch())));
    count += bucket.count;
  }
  CHECK(count == 1'000);
  CHECK(series.size() >= 10);

  query = all;
  query.from = query.to = start + hours(1);
  CHECK(read(query).empty());
  query.environment = "staging";
  query.from = start;
  CHECK(read(query).empty());
}
