#include <catch2/catch.hpp>
#include <set>

#include "on_loop.hpp"

using namespace cameleer;
using namespace cameleer::postgres;
using namespace std::chrono_literals;

namespace {

/// Callers that insert numbers, each number once, until told to stop.
struct Load {
  Pool& pool;
  std::int64_t next = 0;
  bool stop = false;
  int running = 0;
  std::set<std::int64_t> acknowledged = {};
  std::size_t unavailable = 0;
  std::set<std::string> unexpected = {};
};

async::Task<> insert_numbers(Load& load) {
  ++load.running;
  while (!load.stop) {
    std::int64_t number = load.next++;
    auto outcome = co_await load.pool.query("insert into numbers values ($1)", {number});
    if (outcome) {
      load.acknowledged.insert(number);
    } else if (outcome.error().error.code == ErrorCode::unavailable) {
      ++load.unavailable;
    } else {
      load.unexpected.insert(outcome.error().sqlstate + " " + outcome.error().server_text);
    }
  }
  --load.running;
}

void run_until(boost::asio::io_context& io, const std::function<bool()>& done) {
  auto limit = std::chrono::steady_clock::now() + 1min;
  while (!done() && std::chrono::steady_clock::now() < limit) io.run_one_for(1s);
  REQUIRE(done());
}

}  // namespace

TEST_CASE("a server that crashes and comes back under load loses no acknowledged row and sees none twice") {
  test::PrivateCluster cluster;
  // Without a unique index, so that a row that is written twice is there twice.
  cluster.execute("create table numbers (id bigint)");
  boost::asio::io_context io;
  // The loop stands still while the cluster starts, which takes long on a busy machine: no deadline may pass meanwhile.
  Pool pool(io.get_executor(), {.conninfo = cluster.conninfo(), .statement_time = 60s});
  Load load{.pool = pool};
  for (int caller = 0; caller < 100; ++caller) boost::asio::co_spawn(io, insert_numbers(load), boost::asio::detached);
  for (int round = 0; round < 3; ++round) {
    auto goal = load.acknowledged.size() + 1'000;
    run_until(io, [&] { return load.acknowledged.size() >= goal; });
    auto failures = load.unavailable;
    cluster.stop_immediately();
    run_until(io, [&] { return load.unavailable > failures; });
    cluster.start();
  }
  auto goal = load.acknowledged.size() + 1'000;
  run_until(io, [&] { return load.acknowledged.size() >= goal; });
  load.stop = true;
  run_until(io, [&] { return load.running == 0; });

  CHECK(load.unexpected == std::set<std::string>{});
  auto rows = test::finish(io, pool.query("select id, count(*) from numbers group by id"));
  REQUIRE(rows);
  std::size_t twice = 0;
  std::set<std::int64_t> stored;
  for (std::size_t row = 0; row < rows->rows(); ++row) {
    stored.insert(rows->integer(row, 0));
    if (rows->integer(row, 1) != 1) ++twice;
  }
  CHECK(twice == 0);
  CHECK(std::includes(stored.begin(), stored.end(), load.acknowledged.begin(), load.acknowledged.end()));
  CHECK(stored.size() <= load.acknowledged.size() + load.unavailable);
  // No statement waits for a whole deadline because of a crash: only those in flight fail.
  CHECK(load.unavailable <= 3 * 100);
  test::finish(io, pool.close());
}
