#include "server/server_metrics/metric_sampler.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>

#include "../../../run_until.hpp"

using namespace cameleer;
using namespace cameleer::server;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

// A server with one gauge, and a store that takes samples, refuses them or lets them wait.
struct Server {
  asio::io_context io;
  Metrics metrics;
  std::vector<std::string> stored;
  bool away = false, hangs = false;
  int attempts = 0;
  std::int64_t now = 1'000;
  std::optional<MetricSampler> sampler;
  bool ended = false, stopped = false;

  explicit Server(MetricSampler::Options options) {
    metrics.observe("level", "", {}, [] { return 1.0; });
    sampler.emplace(
        io.get_executor(), [this](std::string body) { return insert(this, std::move(body)); },
        [this] { return instant_of(++now); }, options);
    asio::co_spawn(io, run(this), asio::detached);
  }

  static async::Task<> run(Server* self) {
    co_await self->sampler->run(self->metrics, {.tenant = "t", .instance = "i", .started = instant_of(1)});
    self->ended = true;
  }
  static async::Task<> stop(Server* self) {
    co_await self->sampler->stop();
    self->stopped = true;
  }
  static async::Task<clickhouse::Outcome<void>> insert(Server* self, std::string body) {
    ++self->attempts;
    co_await asio::post(self->io.get_executor(), async::use_task);
    while (self->hangs) co_await async::sleep_for(self->io.get_executor(), 1ms);
    if (self->away) co_return std::unexpected(clickhouse::EngineError{.error = {ErrorCode::unavailable, "away"}});
    self->stored.push_back(std::move(body));
    co_return clickhouse::Outcome<void>{};
  }

  template <class Condition>
  void run_until(const Condition& condition) {
    test::run_until(io, condition);
  }
  void end() {
    asio::co_spawn(io, stop(this), asio::detached);
    run_until([this] { return stopped && ended; });
  }
  [[nodiscard]] const MetricSampler::Counters& counters() const { return sampler->counters(); }
};

}  // namespace

TEST_CASE("samples are stored, and a last one at the end") {
  Server server({.interval = 1h});
  server.run_until([&] { return server.counters().rows == 1; });
  server.end();
  CHECK(server.counters().rows == 2);
  CHECK(server.counters().waiting_bytes == 0);
  CHECK(server.stored.size() == 2);
}

TEST_CASE("no interval, no sample") {
  Server server({.interval = 0ms});
  server.run_until([&] { return server.ended; });
  CHECK(server.attempts == 0);
  server.end();
  CHECK(server.attempts == 0);
}

TEST_CASE("while the store is away samples wait, and come with the next that it takes") {
  Server server({.interval = 1ms});
  server.away = true;
  server.run_until([&] { return server.counters().failed_inserts > 5; });
  CHECK(server.counters().rows == 0);
  CHECK(server.counters().waiting_bytes > 0);
  server.away = false;
  server.run_until([&] { return server.counters().rows > 6; });
  CHECK(server.counters().dropped == 0);
  server.end();
  CHECK(server.counters().waiting_bytes == 0);
}

TEST_CASE("the oldest samples make room, counted, and what waits stays within its bound") {
  Server server({.interval = 1ms, .waiting_bytes = 2'000});
  server.away = true;
  server.run_until([&] { return server.counters().dropped > 10; });
  CHECK(server.counters().waiting_bytes <= 2'000);
  server.away = false;
  server.run_until([&] { return server.counters().rows > 0; });
  server.end();
  CHECK(server.counters().waiting_bytes == 0);
}

TEST_CASE("an insert that hangs stops neither the samples nor the end of the server") {
  Server server({.interval = 1ms, .waiting_bytes = 4'000, .drain = 5ms});
  server.hangs = true;
  server.run_until([&] { return server.counters().dropped > 3; });
  CHECK(server.attempts == 1);
  server.end();
  const auto attempts = server.attempts;
  server.hangs = false;
  server.run_until([&] { return !server.stored.empty(); });
  CHECK(server.attempts == attempts);
}

TEST_CASE("many samples go in several inserts") {
  Server server({.interval = 1ms, .insert_bytes = 1});
  server.away = true;
  server.run_until([&] { return server.counters().failed_inserts > 3; });
  server.away = false;
  server.end();
  CHECK(server.stored.size() == server.counters().rows);
}
