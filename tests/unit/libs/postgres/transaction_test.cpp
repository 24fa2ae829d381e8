#include <catch2/catch.hpp>

#include "on_loop.hpp"

using namespace cameleer;
using namespace cameleer::postgres;
using namespace std::chrono_literals;
using test::PoolOnLoop;

namespace {

struct Accounts : PoolOnLoop {
  explicit Accounts(PoolOptions options = {}) : PoolOnLoop(options) {
    query("create table accounts (id int primary key, amount int)");
    query("insert into accounts values (1, 100), (2, 100)");
  }
  std::unique_ptr<Transaction> begin() {
    auto outcome = test::finish(io, pool->begin());
    if (!outcome) throw std::runtime_error("no transaction: " + outcome.error().error.message);
    return std::move(*outcome);
  }
  Outcome<Result> run(Transaction& transaction, std::string sql) {
    return test::finish(io, transaction.query(std::move(sql)));
  }
  std::string amounts() { return cell("select string_agg(amount::text, ' ' order by id) from accounts"); }
};

async::Task<> finish_with(Transaction& transaction, std::string sql, std::string& sqlstate, int& ended) {
  auto outcome = co_await transaction.query(std::move(sql));
  if (!outcome) sqlstate = outcome.error().sqlstate;
  (void)co_await (outcome ? transaction.commit() : transaction.rollback());
  ++ended;
}

}  // namespace

TEST_CASE("a committed transaction is seen by others, and not before") {
  Accounts db;
  auto transaction = db.begin();
  REQUIRE(db.run(*transaction, "update accounts set amount = 50 where id = 1"));
  REQUIRE(db.run(*transaction, "update accounts set amount = 150 where id = 2"));
  CHECK(db.amounts() == "100 100");
  REQUIRE(test::finish(db.io, transaction->commit()));
  CHECK(db.amounts() == "50 150");
}

TEST_CASE("a transaction that is rolled back or destroyed leaves nothing, and its connection serves again") {
  for (bool explicitly : {true, false}) {
    Accounts db({.connections = 2});
    std::string backend;
    for (int round = 0; round < 5; ++round) {
      auto transaction = db.begin();
      auto pid = db.run(*transaction, "select pg_backend_pid()");
      REQUIRE(pid);
      if (backend.empty()) backend = std::string(pid->text(0, 0));
      REQUIRE(db.run(*transaction, "update accounts set amount = 0"));
      if (explicitly) CHECK(test::finish(db.io, transaction->rollback()).has_value());
      transaction.reset();
    }
    CHECK(db.amounts() == "100 100");
    CHECK(db.cell("select count(*) from pg_stat_activity where pid = $1::int", {backend}) == "1");
  }
}

TEST_CASE("after a failed statement the transaction refuses the rest, its commit included") {
  Accounts db;
  auto transaction = db.begin();
  REQUIRE(db.run(*transaction, "update accounts set amount = 0"));
  auto failed = db.run(*transaction, "insert into accounts values (1, 1)");
  REQUIRE_FALSE(failed);
  CHECK(failed.error().sqlstate == "23505");
  CHECK(db.run(*transaction, "select 1").error().sqlstate == "25P02");
  auto committed = test::finish(db.io, transaction->commit());
  REQUIRE_FALSE(committed);
  CHECK(committed.error().sqlstate == "25P02");
  CHECK(db.amounts() == "100 100");
}

TEST_CASE("a commit that a deferred constraint refuses says so") {
  Accounts db;
  REQUIRE(db.query("create table late (id int unique deferrable initially deferred)"));
  auto transaction = db.begin();
  REQUIRE(db.run(*transaction, "insert into late values (1)"));
  REQUIRE(db.run(*transaction, "insert into late values (1)"));
  auto committed = test::finish(db.io, transaction->commit());
  REQUIRE_FALSE(committed);
  CHECK(committed.error().sqlstate == "23505");
  CHECK(committed.error().error.code == ErrorCode::conflict);
  CHECK(db.cell("select count(*) from late") == "0");
}

TEST_CASE("the loser of a deadlock sees 40P01, and the winner commits") {
  Accounts db;
  auto one = db.begin();
  auto two = db.begin();
  REQUIRE(db.run(*one, "update accounts set amount = 1 where id = 1"));
  REQUIRE(db.run(*two, "update accounts set amount = 2 where id = 2"));
  std::string states[2];
  int ended = 0;
  boost::asio::co_spawn(db.io, finish_with(*one, "update accounts set amount = 1 where id = 2", states[0], ended),
                        boost::asio::detached);
  boost::asio::co_spawn(db.io, finish_with(*two, "update accounts set amount = 2 where id = 1", states[1], ended),
                        boost::asio::detached);
  auto limit = std::chrono::steady_clock::now() + 1min;
  while (ended < 2 && std::chrono::steady_clock::now() < limit) db.io.run_one_for(1s);
  CHECK(states[0] + states[1] == "40P01");
  auto amounts = db.amounts();
  CHECK((amounts == "1 1" || amounts == "2 2"));
}

TEST_CASE("single statements find a connection while as many transactions as allowed are open") {
  Accounts db({.connections = 3, .statement_time = 2'000ms});
  auto one = db.begin();
  auto two = db.begin();
  CHECK(db.amounts() == "100 100");
  auto third = test::finish(db.io, db.pool->begin());
  REQUIRE_FALSE(third);
  CHECK(third.error().error.code == ErrorCode::upstream_timeout);
  one.reset();
  CHECK(test::finish(db.io, db.pool->begin()).has_value());
}

TEST_CASE("a transaction over its time, or whose connection is lost, is rolled back and fails") {
  Accounts db({.connections = 2, .statement_time = 10'000ms, .transaction_time = 2'000ms});
  auto transaction = db.begin();
  REQUIRE(db.run(*transaction, "update accounts set amount = 0"));
  auto limit = std::chrono::steady_clock::now() + 20s;
  Outcome<Result> outcome;
  do {
    outcome = db.run(*transaction, "select 1");
  } while (outcome && std::chrono::steady_clock::now() < limit);
  REQUIRE_FALSE(outcome);
  auto committed = test::finish(db.io, transaction->commit());
  REQUIRE_FALSE(committed);
  CHECK(committed.error().error.code == ErrorCode::unavailable);
  CHECK(db.amounts() == "100 100");
  auto next = db.begin();
  CHECK(db.run(*next, "select 1").has_value());
}
