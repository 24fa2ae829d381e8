#include "server/telemetry/health.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

using namespace cameleer;
using cameleer::server::Health;
using cameleer::server::HealthWarning;

namespace {

async::Task<Expected<void>> answer(const bool& up) {
  if (up) co_return Expected<void>{};
  co_return fail(ErrorCode::unavailable, "Cannot connect to 10.1.2.3:8123: Connection refused.");
}

const auto kNow = *parse_instant("2026-11-22T12:00:00Z");
Instant noon() {
  return kNow;
}

/// Lets the probes run once: they suspend on their two-second timer after it.
void probe_once(boost::asio::io_context& io) {
  io.restart();
  io.poll();
}

}  // namespace

TEST_CASE("readiness needs the start and every dependency, and names the one that is down") {
  boost::asio::io_context io;
  Health health(noon);
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
  const auto& clickhouse = body.at("dependencies").at("clickhouse");
  CHECK(clickhouse.at("since") == "2026-11-22T12:00:00.000Z");
  CHECK(clickhouse.at("detail") == "does not answer");
  CHECK(health.render().find("10.1.2.3") == std::string::npos);
}

TEST_CASE("with all dependencies up a server is ready once it has started, not before") {
  boost::asio::io_context io;
  Health health(noon);
  bool up = true;
  health.watch("postgres", [&] { return answer(up); });
  boost::asio::co_spawn(io, health.run(), boost::asio::detached);
  probe_once(io);
  CHECK_FALSE(health.ready());
  CHECK(boost::json::parse(health.render()).at("detail") == "starting");
  health.started();
  CHECK(health.ready());
}

TEST_CASE("a dependency that came or went is told once, with the reason for the log") {
  boost::asio::io_context io;
  Health health(noon);
  bool up = true;
  std::vector<std::string> told;
  health.watch("postgres", [&] { return answer(up); });
  health.on_change([&told](const Health::Dependency& dependency, const Error* reason) {
    told.push_back(dependency.name + ": " + (reason ? reason->message : "up"));
  });
  boost::asio::co_spawn(io, health.run(), boost::asio::detached);
  const auto probe = [&] {
    io.restart();
    io.run_one();
    io.poll();
  };
  probe();
  probe();
  CHECK(told == std::vector<std::string>{"postgres: up"});
  up = false;
  probe();
  CHECK(told.size() == 2);
  CHECK(told.back() == "postgres: Cannot connect to 10.1.2.3:8123: Connection refused.");
}

TEST_CASE("warnings and the state of parts are shown, and make nobody unready") {
  Health health(noon);
  health.started();
  bool warned = true;
  health.warn_of([&warned] {
    std::vector<HealthWarning> warnings;
    if (warned)
      warnings.push_back({.code = "journal_filling", .detail = "The journal is full to 81 %.", .since = kNow});
    return warnings;
  });
  health.warn_of([] { return std::vector<HealthWarning>{{.code = "rows_set_aside", .detail = "3 requests."}}; });
  health.show("ingest", [] { return boost::json::object{{"setAside", 3}}; });
  CHECK(health.ready());
  const auto body = boost::json::parse(health.render());
  CHECK(body.at("ingest").at("setAside") == 3);
  CHECK(body.at("warnings").as_array().size() == 2);
  CHECK(body.at("warnings").at(0).at("since") == "2026-11-22T12:00:00.000Z");
  CHECK(body.at("warnings").at(1).as_object().count("since") == 0);
  warned = false;
  CHECK(health.warnings().size() == 1);
}
