#include <catch2/catch.hpp>
#include <map>
#include <thread>

#include "on_loop.hpp"

using namespace cameleer;
using namespace cameleer::postgres;
using namespace std::chrono_literals;
using test::PoolOnLoop;
using test::PrivateCluster;

namespace {

/// What came of many statements that were started at once.
struct Tally {
  std::size_t ended = 0;
  std::size_t wrong = 0;                          ///< answers that belong to another statement
  std::map<std::string, std::size_t> by_outcome;  ///< "success", SQLSTATE or the error code's name
  std::vector<std::int64_t> succeeded;
};

async::Task<> ask(Pool& pool, std::string sql, std::int64_t number, Tally& tally) {
  auto outcome = co_await pool.query(std::move(sql), {number});
  ++tally.ended;
  if (outcome) {
    ++tally.by_outcome["success"];
    tally.succeeded.push_back(number);
    if (outcome->rows() > 0 && outcome->integer(0, 0) != number) ++tally.wrong;
  } else {
    auto& error = outcome.error();
    ++tally.by_outcome[error.sqlstate.empty() ? std::string(name_of(error.error.code)) : error.sqlstate];
  }
}

void start(PoolOnLoop& db, std::string sql, std::int64_t number, Tally& tally) {
  boost::asio::co_spawn(db.io, ask(*db.pool, std::move(sql), number, tally), boost::asio::detached);
}

void run_until(boost::asio::io_context& io, const std::function<bool()>& done) {
  auto limit = std::chrono::steady_clock::now() + 1min;
  io.restart();
  while (!done() && std::chrono::steady_clock::now() < limit) io.run_one_for(1s);
  REQUIRE(done());
}

}  // namespace

TEST_CASE("3,000 statements in flight each get their own answer, and errors touch no other") {
  PoolOnLoop db({.max_waiting = 3'000});
  Tally tally;
  for (std::int64_t number = 0; number < 3'000; ++number) {
    switch (number % 10) {
      case 3:
        start(db, "select 1 / ($1::bigint - $1::bigint)", number, tally);
        break;
      case 7:
        start(db, "select nonsense + $1::bigint", number, tally);
        break;
      default:
        start(db, "select $1::bigint", number, tally);
    }
  }
  run_until(db.io, [&] { return tally.ended == 3'000; });
  CHECK(tally.wrong == 0);
  CHECK(tally.by_outcome == std::map<std::string, std::size_t>{{"success", 2'400}, {"22012", 300}, {"42703", 300}});
}

TEST_CASE("answers larger than the socket's buffers and statements larger than them pass each other") {
  PoolOnLoop db({.connections = 1});
  Tally tally;
  std::string blob(3'000'000, 'x');
  async::Task<Outcome<Result>> (*echo)(Pool&, const std::string&, Tally&) =
      [](Pool& pool, const std::string& text, Tally& counts) -> async::Task<Outcome<Result>> {
    auto outcome = co_await pool.query("select $1::text", {text});
    ++counts.ended;
    if (!outcome || outcome->text(0, 0) != text) ++counts.wrong;
    co_return outcome;
  };
  for (int number = 0; number < 8; ++number) {
    boost::asio::co_spawn(db.io, echo(*db.pool, blob, tally), boost::asio::detached);
  }
  run_until(db.io, [&] { return tally.ended == 8; });
  CHECK(tally.wrong == 0);
}

TEST_CASE("a statement over the bound is overloaded, and the accepted ones are answered") {
  PoolOnLoop db({.connections = 1, .max_waiting = 50});
  Tally tally;
  for (std::int64_t number = 0; number < 80; ++number) start(db, "select $1::bigint", number, tally);
  run_until(db.io, [&] { return tally.ended == 80; });
  CHECK(tally.by_outcome == std::map<std::string, std::size_t>{{"success", 50}, {"overloaded", 30}});
  CHECK(db.cell("select 1") == "1");
}

TEST_CASE("a statement that the server cancels in time is a timeout, and the connection lives on") {
  PoolOnLoop db({.connections = 1});
  std::string backend = db.cell("select pg_backend_pid()");
  REQUIRE(db.query("set statement_timeout = '100ms'"));
  auto outcome = db.query("select pg_sleep(30)");
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().error.code == ErrorCode::upstream_timeout);
  CHECK(outcome.error().sqlstate == "57014");
  CHECK(db.cell("select pg_backend_pid()") == backend);
}

TEST_CASE("a statement that the server does not answer in time loses its connection, which is replaced") {
  PoolOnLoop db({.connections = 1, .statement_time = 2'000ms});
  std::string backend = db.cell("select pg_backend_pid()");
  REQUIRE(db.query("set statement_timeout = 0"));
  Tally tally;
  start(db, "select pg_sleep(10), $1::bigint", 1, tally);
  run_until(db.io, [&] { return tally.ended == 1; });
  CHECK(tally.by_outcome == std::map<std::string, std::size_t>{{"upstream_timeout", 1}});
  CHECK(db.cell("select pg_backend_pid()") != backend);
}

TEST_CASE("a statement that waits unsent behind a slow one moves to the new connection when that one is given up") {
  PoolOnLoop db({.connections = 1, .statement_time = 2'000ms});
  REQUIRE(db.query("set statement_timeout = 0"));
  Tally slow;
  Tally behind;
  start(db, "select pg_sleep(10), $1::bigint", 1, slow);
  auto started = std::chrono::steady_clock::now();
  run_until(db.io, [&] { return std::chrono::steady_clock::now() > started + 500ms; });
  start(db, "select $1::bigint", 2, behind);
  run_until(db.io, [&] { return slow.ended + behind.ended == 2; });
  CHECK(slow.by_outcome == std::map<std::string, std::size_t>{{"upstream_timeout", 1}});
  CHECK(behind.by_outcome == std::map<std::string, std::size_t>{{"success", 1}});
}

TEST_CASE("statements do not line up behind a slow one while another connection is free") {
  PoolOnLoop db({.connections = 3});
  auto lock = test::finish(db.io, db.pool->begin());
  REQUIRE(lock);
  REQUIRE(test::finish(db.io, (*lock)->query("select pg_advisory_xact_lock(42)")));
  Tally slow;
  Tally quick;
  start(db, "select $1::bigint from pg_advisory_xact_lock(42)", 1, slow);
  auto started = std::chrono::steady_clock::now();
  run_until(db.io, [&] { return std::chrono::steady_clock::now() > started + 200ms; });
  for (int number = 0; number < 200; ++number) start(db, "select $1::bigint", number, quick);
  run_until(db.io, [&] { return quick.ended == 200; });
  CHECK(quick.by_outcome == std::map<std::string, std::size_t>{{"success", 200}});
  CHECK(slow.ended == 0);
  REQUIRE(test::finish(db.io, (*lock)->commit()));
  run_until(db.io, [&] { return slow.ended == 1; });
  CHECK(slow.by_outcome == std::map<std::string, std::size_t>{{"success", 1}});
}

TEST_CASE("without a server statements wait for their deadline and then are unavailable") {
  boost::asio::io_context io;
  PoolOptions options{.conninfo = "host=/nonexistent user=nobody", .statement_time = 200ms};
  std::vector<std::string> notices;
  options.notice = [&](std::string_view text) { notices.emplace_back(text); };
  Pool pool(io.get_executor(), options);
  auto outcome = test::finish(io, pool.query("select 1"));
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().error.code == ErrorCode::unavailable);
  CHECK_THAT(outcome.error().server_text, Catch::Contains("/nonexistent"));
  CHECK_FALSE(notices.empty());
  CHECK_FALSE(test::finish(io, pool.ping()));
  test::finish(io, pool.close());
}

TEST_CASE("a host name is resolved, and one that does not resolve is unavailable") {
  for (std::string host : {"localhost", "name.invalid"}) {
    boost::asio::io_context io;
    // Port 1: nobody listens there.
    Pool pool(io.get_executor(), {.conninfo = "host=" + host + " port=1 user=nobody", .statement_time = 2'000ms});
    auto outcome = test::finish(io, pool.query("select 1"));
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().error.code == ErrorCode::unavailable);
    if (host == "localhost") CHECK_THAT(outcome.error().server_text, Catch::Contains("refused"));
    test::finish(io, pool.close());
  }
}

TEST_CASE("a terminated connection is replaced without a word to the next statement") {
  PoolOnLoop db;
  for (int round = 0; round < 3; ++round) {
    PrivateCluster::shared().execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cameleer'");
    run_until(db.io, [&] { return db.query("select 1").has_value(); });
    CHECK(db.cell("select 1") == "1");
  }
}

TEST_CASE("a plan that a changed table made stale is prepared anew, unseen by the caller") {
  PoolOnLoop db({.connections = 1});
  REQUIRE(db.query("create table changing (id int)"));
  REQUIRE(db.query("insert into changing values (1)"));
  CHECK(db.query("select * from changing")->columns() == 1);
  REQUIRE(db.query("alter table changing add column name text"));
  auto outcome = db.query("select * from changing");
  REQUIRE(outcome);
  CHECK(outcome->columns() == 2);
  REQUIRE(db.query("deallocate all"));
  CHECK(db.query("select * from changing").has_value());
}

TEST_CASE("the same text is prepared once, and the number of prepared texts is bounded") {
  PoolOnLoop db({.connections = 1});
  for (int round = 0; round < 5; ++round) REQUIRE(db.query("select $1::int + 1", {round}));
  CHECK(db.cell("select count(*) from pg_prepared_statements where statement = 'select $1::int + 1'") == "1");
  for (int number = 0; number < 600; ++number) REQUIRE(db.query("select " + std::to_string(number)));
  auto kept = db.query("select count(*) from pg_prepared_statements");
  REQUIRE(kept);
  CHECK(kept->integer(0, 0) > 200);
  CHECK(kept->integer(0, 0) <= 257);
}

TEST_CASE("COPY, which would block the pipeline, is refused and costs only its connection") {
  PoolOnLoop db;
  REQUIRE(db.query("create table copied (id int)"));
  CHECK_FALSE(db.query("copy copied from stdin"));
  CHECK_FALSE(db.query("copy copied to stdout"));
  CHECK(db.cell("select 1") == "1");
}

TEST_CASE("close lets sent statements end, fails unsent ones, and refuses new ones") {
  PoolOnLoop db({.connections = 1});
  CHECK(db.cell("select 1") == "1");
  Tally sent;
  start(db, "select $1::bigint from pg_sleep(0.2)", 1, sent);
  run_until(db.io, [&] {
    return PrivateCluster::shared().execute(
               "select count(*) from pg_stat_activity where "
               "query like '%pg_sleep(0.2)' and state = 'active'") == "1";
  });
  test::finish(db.io, db.pool->close());
  CHECK(sent.by_outcome == std::map<std::string, std::size_t>{{"success", 1}});
  auto refused = db.query("select 1");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().error.code == ErrorCode::unavailable);
  auto transaction = test::finish(db.io, db.pool->begin());
  REQUIRE_FALSE(transaction);
  CHECK(transaction.error().error.code == ErrorCode::unavailable);
  db.io.restart();
  CHECK(db.io.run_for(10s) < 100);
  CHECK(db.io.stopped());
}

TEST_CASE("a pool may be destroyed, and its loop may end, while statements are in flight") {
  for (bool loop_goes_on : {true, false}) {
    PoolOptions options;
    options.application_name = test::unique_name("ended");
    auto db = std::make_unique<PoolOnLoop>(options);
    Tally tally;
    for (std::int64_t number = 0; number < 3; ++number)
      start(*db, "select $1::bigint from pg_sleep(60)", number, tally);
    run_until(db->io, [&] {
      return PrivateCluster::shared().execute("select count(*) > 0 from pg_stat_activity where application_name = '" +
                                              options.application_name + "' and wait_event = 'PgSleep'") == "t";
    });
    db->pool.reset();
    if (loop_goes_on) {
      run_until(db->io, [&] { return tally.ended == 3; });
      CHECK(tally.by_outcome == std::map<std::string, std::size_t>{{"unavailable", 3}});
    } else {
      db.reset();
      CHECK(tally.ended == 0);
    }
  }
}
