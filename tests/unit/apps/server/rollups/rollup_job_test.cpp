// The job: one at a time, from where the last one got, and never with less than there was.
#include <catch2/catch.hpp>

#include "rollups_on_loop.hpp"

using namespace cameleer;
using namespace cameleer::test;
using server::minute_of;
using server::RollupKind;
using Step = server::RollupService::Step;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

struct Fixture : RollupsOnLoop {
  RecordedRow row(std::string id, Instant at, std::string route = "r1") {
    return {.route_id = std::move(route), .start_time = at, .execution_id = std::move(id)};
  }
  // What is stored of the minute: routes and how many of each.
  std::string minute(Instant at) {
    std::string text;
    std::function<bool(const clickhouse::Row&)> take = [&text](const clickhouse::Row& row) {
      text = row.text(0);
      return true;
    };
    const auto done = run(engine.select(
        fmt::format(
            "SELECT arrayStringConcat(arraySort(groupArray(concat(route_id, '=', toString(finished)))), ' ') AS "
            "text FROM route_minutes FINAL WHERE minute = toDateTime({})",
            std::chrono::floor<seconds>(at).time_since_epoch().count()),
        {}, std::move(take)));
    if (!done) throw std::runtime_error(done.error().text);
    return text;
  }
  Step step(server::RollupService& service) { return run(service.step()).value(); }

  Instant at = minute_of(run(store.now()).value()) - hours(2);
};

}  // namespace

TEST_CASE_METHOD(Fixture, "one process holds the job until its lease has run out") {
  insert({row("a", at)});
  CHECK(step(*first) != Step::others);
  CHECK(step(*second) == Step::others);
  CHECK(second->position() == first->position());
  CHECK(first->figures().holds);
  CHECK_FALSE(second->figures().holds);
  now += seconds(59);
  CHECK(step(*first) != Step::others);
  now += seconds(59);
  CHECK(step(*second) == Step::others);
  now += seconds(1);
  CHECK(step(*second) != Step::others);
  CHECK(step(*first) == Step::others);
}

TEST_CASE_METHOD(Fixture, "a process that stops leaves the job to another at once") {
  CHECK(step(*first) != Step::others);
  run([](server::RollupService& service) -> async::Task<bool> {
    co_await service.stop();
    co_return true;
  }(*first));
  CHECK(step(*second) != Step::others);
}

TEST_CASE_METHOD(Fixture, "who lost the job does not move its position") {
  server::RollupLease old(*pool, [this] { return now; }, "old", minutes(1));
  server::RollupLease next(*pool, [this] { return now; }, "next", minutes(1));
  CHECK(run(old.take()).value().held);
  CHECK_FALSE(run(old.take()).value().position);
  const server::RollupPosition position{.taken_before = at, .minutes_before = at - minutes(3)};
  CHECK(run(old.move(position)).value());
  now += minutes(1);
  CHECK_FALSE(run(old.move({.taken_before = at + hours(1), .minutes_before = at})).value());
  const auto state = run(next.take()).value();
  CHECK(state.held);
  CHECK(state.position == position);
  CHECK_FALSE(run(old.move({.taken_before = at + hours(1), .minutes_before = at})).value());
  CHECK_FALSE(run(old.take()).value().held);
  CHECK(run(old.release()));
  CHECK_FALSE(run(old.take()).value().held);
  CHECK(run(next.take()).value().position == position);
}

TEST_CASE_METHOD(Fixture, "a minute is computed when something arrived in it, and not otherwise") {
  insert({row("a", at), row("b", at + minutes(1))});
  roll_up(*first);
  CHECK(minute(at) == "r1=1");
  const auto computed = first->figures().minutes[0];
  CHECK(computed == 2);
  roll_up(*first);
  CHECK(first->figures().minutes[0] == computed);
  insert({row("c", at)});
  roll_up(*first);
  CHECK(minute(at) == "r1=2");
  CHECK(first->figures().minutes[0] == computed + 1);
  CHECK(first->figures().failures == 0);
}

TEST_CASE_METHOD(Fixture, "a route that is in the minute no more vanishes from it") {
  auto wrong = row("a", at, "wrong");
  insert({wrong, row("b", at)});
  roll_up(*first);
  CHECK(minute(at) == "r1=1 wrong=1");
  auto right = wrong;
  right.route_id = "right";
  right.version += 1;
  insert({right});
  roll_up(*first);
  CHECK(minute(at) == "r1=1 right=1");
  execute("OPTIMIZE TABLE route_minutes FINAL");
  CHECK(minute(at) == "r1=1 right=1");
  // And is there again when it is.
  insert({row("c", at, "wrong")});
  roll_up(*first);
  CHECK(minute(at) == "r1=1 right=1 wrong=1");
}

TEST_CASE_METHOD(Fixture, "history is rolled up in stretches, each of which is kept") {
  insert({row("a", at - hours(9)), row("b", at - hours(5)), row("c", at)});
  auto job = this->job("third");
  CHECK(step(*job) == Step::more);
  const auto begun = job->position().value();
  CHECK(begun.minutes_before == at - hours(8));
  CHECK(minute(at - hours(9)) == "r1=1");
  CHECK(minute(at).empty());
  // Another start goes on there.
  auto again = this->job("third");
  CHECK(step(*again) == Step::more);
  CHECK(again->position()->minutes_before == at - hours(7));
  roll_up(*again);
  compare_tables(again->position()->minutes_before);
  CHECK(minute(at) == "r1=1");
}

TEST_CASE_METHOD(Fixture, "minutes that have lost rows to retention keep what was rolled up of them") {
  std::vector<RecordedRow> rows;
  for (int i = 0; i < 10; ++i) rows.push_back(row(fmt::format("e{}", i), at + seconds(i)));
  rows.push_back(row("whole", at + minutes(1)));
  insert(rows);
  roll_up(*first);
  CHECK(minute(at) == "r1=10");

  SECTION("because they are older than what is kept") {
    kept_since = at + minutes(1);
    insert({row("late", at + seconds(30)), row("later", at + minutes(1))});
    roll_up(*first);
    CHECK(minute(at) == "r1=10");
    CHECK(minute(at + minutes(1)) == "r1=2");
    const auto rows_read = read({.environment = "default", .from = at, .to = at + minutes(2)});
    REQUIRE(rows_read.size() == 1);
    CHECK(rows_read.front().count == 12);
  }
  SECTION("because there is less than there was, whatever is said of what is kept") {
    execute("DELETE FROM executions WHERE execution_id != 'e1' AND execution_id != 'whole'");
    insert({row("late", at + seconds(30)), row("later", at + minutes(1))});
    roll_up(*first);
    CHECK(minute(at) == "r1=10");
    CHECK(minute(at + minutes(1)) == "r1=2");
  }
}

TEST_CASE_METHOD(Fixture, "the work of many environments and minutes is done in pages") {
  std::vector<RecordedRow> rows;
  for (int i = 0; i < 2'500; ++i) {
    auto one = row(fmt::format("e{}", i), at - hours(20) + minutes(i % 50));
    one.environment = fmt::format("environment-{}", i / 50);
    rows.push_back(std::move(one));
  }
  insert(rows);
  roll_up(*first);
  CHECK(first->figures().minutes[0] == 2'500);
  compare_tables(first->position()->minutes_before);
}

TEST_CASE_METHOD(Fixture, "a store that does not answer is a failure, and nothing is said to be done") {
  insert({row("a", at)});
  clickhouse::Client nowhere{io.get_executor(), {.url = "http://127.0.0.1:1", .password = {}, .database = database}};
  server::RollupService lost(
      *pool, nowhere, [this] { return now; }, [](std::string_view) { return Instant{}; },
      {.tenant = "acme", .holder = "lost"});
  CHECK_FALSE(run(lost.step()));
  CHECK(lost.figures().failures == 1);
  CHECK(cell("select minutes_before from rollup_job").empty());
  now += minutes(2);
  roll_up(*first);
  CHECK(minute(at) == "r1=1");
}
