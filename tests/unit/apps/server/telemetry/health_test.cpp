#include "server/telemetry/health.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

using namespace cameleer;
using cameleer::server::Health;

namespace {

async::Task<Expected<void>> answer(const bool& up) {
  if (up) co_return Expected<void>{};
  co_return fail(ErrorCode::unavailable, "connection refused");
}

/// Lets the probes run once: they suspend on their two-second timer after it.
void probe_once(boost::asio::io_context& io) {
  io.restart();
  io.poll();
}

}  // namespace

TEST_CASE("readiness needs the start and every dependency, and names the one that is down") {
  boost::asio::io_context io;
  Health health;
  bool database_up = true, engine_up = false;
  health.watch("postgres", [&] { return answer(database_up); });
  health.watch("clickhouse", [&] { return answer(engine_up); });
  CHECK_FALSE(health.ready());

  boost::asio::co_spawn(io, health.run(), boost::asio::detached);
  probe_once(io);
  health.started();
  CHECK_FALSE(health.ready());
  const auto body = boost::json::parse(health.render());
  CHECK(body.at("status") == "DOWN");
  CHECK(body.at("dependencies").at("postgres").at("status") == "UP");
  CHECK(body.at("dependencies").at("clickhouse").at("detail") == "connection refused");
}

TEST_CASE("with all dependencies up a server is ready once it has started, not before") {
  boost::asio::io_context io;
  Health health;
  bool up = true;
  health.watch("postgres", [&] { return answer(up); });
  boost::asio::co_spawn(io, health.run(), boost::asio::detached);
  probe_once(io);
  CHECK_FALSE(health.ready());
  CHECK(boost::json::parse(health.render()).at("detail") == "starting");
  health.started();
  CHECK(health.ready());
}
