#include "server/ingest/decode_turns.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace cameleer;
using namespace cameleer::server;
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

struct Fixture {
  explicit Fixture(DecodeTurns::Options options) : turns(io.get_executor(), options) {}
  asio::io_context io;
  DecodeTurns turns;
  std::vector<std::string> had;  // their turn, in order
  int running = 0, most_running = 0, refused = 0;

  static async::Task<> work(Fixture* self, std::string name, std::uint64_t sender, std::size_t bytes,
                            std::chrono::milliseconds time) {
    const auto turn = co_await self->turns.take(sender, bytes);
    if (!turn) {
      CHECK(turn.error().code == ErrorCode::overloaded);
      ++self->refused;
      co_return;
    }
    self->most_running = std::max(self->most_running, ++self->running);
    self->had.push_back(std::move(name));
    if (time > 0ms) co_await async::sleep_for(self->io.get_executor(), time);
    for (int i = 0; i < 3; ++i) co_await asio::post(self->io.get_executor(), async::use_task);
    --self->running;
  }
  void begin(const std::string& name, std::uint64_t sender, std::size_t bytes = 1,
             std::chrono::milliseconds time = 0ms) {
    asio::co_spawn(io, work(this, name, sender, bytes, time), asio::detached);
  }
};

TEST_CASE("Agents take turns at the workers, whatever each has waiting") {
  Fixture f({.at_once = 2});
  for (int i = 0; i < 30; ++i) f.begin("flood", 1);
  f.begin("second", 2);
  f.begin("third", 3);
  f.io.run();
  CHECK(f.had.size() == 32);
  CHECK(f.most_running == 2);
  CHECK(f.turns.waiting() == 0);
  for (const auto* name : {"second", "third"}) {
    CAPTURE(name);
    CHECK(std::ranges::find(f.had, name) - f.had.begin() <= 5);
  }
}

TEST_CASE("Who floods the queue is refused, others still find a place in it") {
  Fixture f({.at_once = 1, .waiting_bytes = 100});
  for (int i = 0; i < 30; ++i) f.begin("flood", 1, 10);
  f.begin("other", 2, 10);
  f.io.run();
  CHECK(f.refused == 21);  // one runs, eight of ten places are theirs
  CHECK(std::ranges::count(f.had, "other") == 1);
}

TEST_CASE("A wait for a turn ends") {
  Fixture f({.at_once = 1, .wait_at_most = 5ms});
  f.begin("long", 1, 1, 200ms);
  f.begin("waits", 2);
  f.io.run();
  CHECK(f.had == std::vector<std::string>{"long"});
  CHECK(f.refused == 1);
  f.io.restart();
  f.begin("later", 2);
  f.io.run();
  CHECK(f.had.back() == "later");
}

TEST_CASE("Bodies that have their turn at once are bounded by their bytes, and a large one has its turn alone") {
  Fixture f({.at_once = 4, .bytes_at_once = 100});
  f.begin("forty", 1, 40);
  f.begin("sixty", 2, 60);
  f.begin("huge", 3, 1000);
  f.begin("small", 4, 1);
  f.begin("another", 5, 1);
  f.io.run();
  CHECK(f.had == std::vector<std::string>{"forty", "sixty", "huge", "small", "another"});
  CHECK(f.most_running == 2);
  CHECK(f.turns.waiting() == 0);
}

TEST_CASE("Who gives up waiting in front of others does not hold them up") {
  Fixture f({.at_once = 4, .bytes_at_once = 100, .wait_at_most = 20ms});
  f.begin("long", 1, 60, 200ms);
  f.begin("large", 2, 90);
  asio::co_spawn(
      f.io,
      [](Fixture* self) -> async::Task<> {
        co_await async::sleep_for(self->io.get_executor(), 10ms);
        co_await Fixture::work(self, "small", 3, 1, 0ms);
      }(&f),
      asio::detached);
  f.io.run();
  CHECK(f.had == std::vector<std::string>{"long", "small"});
  CHECK(f.refused == 1);
}

}  // namespace
