#include "agent-sim/conformance.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cameleer/identity/encoding.hpp>

#include "agent-sim/probe.hpp"

namespace cameleer::sim {
namespace {

async::Task<> try_all(Probe& probe, std::string& failure) {
  // Without these two nothing else says anything.
  if (auto signed_in = co_await probe.admin().sign_in(); !signed_in) {
    failure = signed_in.error().message;
    co_return;
  }
  auto first = co_await probe.agent("first").register_agent();
  if (!first || first->status != 200) {
    failure = "A registration was answered " + said(first);
    co_return;
  }
  co_await check_registration(probe);
  co_await check_heartbeats(probe);
  co_await check_tokens(probe);
  co_await check_data(probe);
  co_await check_executions(probe);
  co_await check_configuration(probe);
  co_await check_streams(probe);
  co_await check_commands(probe);
  if (probe.options().slow) co_await check_lives(probe);
}

std::string shortened(std::string_view text, std::size_t most) {
  return text.size() <= most ? std::string(text) : std::string(text.substr(0, most - 3)) + "...";
}

}  // namespace

ConformanceResult run_conformance(const ConformanceOptions& options) {
  ConformanceResult result;
  boost::asio::io_context io(1);
  // Ids of a run differ from those of every other run on the same server.
  const auto bytes = identity::random_bytes(identity::system_random(), 6);
  std::string run = "conf";
  for (const unsigned char byte : bytes) run += fmt::format("{:02x}", byte);
  Probe probe(io.get_executor(), options, run);
  std::exception_ptr thrown;
  boost::asio::co_spawn(io, try_all(probe, result.failure), [&](std::exception_ptr error) {
    thrown = error;
    io.stop();  // kept connections would hold the loop until they are old
  });
  io.run();
  if (thrown) std::rethrow_exception(thrown);
  result.rules = probe.take();
  return result;
}

std::string table_of(const ConformanceResult& result) {
  std::string text = fmt::format("{:<14} {:<76} {:<34} {:<40} {}\n", "area", "rule", "expected", "got", "ok");
  std::size_t wrong = 0;
  for (const auto& row : result.rules) {
    text += fmt::format("{:<14} {:<76} {:<34} {:<40} {}\n", row.area, row.rule, shortened(row.expected, 34),
                        shortened(row.got, 40), row.ok ? "ok" : "NO");
    wrong += row.ok ? 0 : 1;
  }
  text += fmt::format("{} rules, {} not kept\n", result.rules.size(), wrong);
  if (!result.failure.empty()) text += result.failure + '\n';
  return text;
}

std::string json_of(const ConformanceResult& result) {
  boost::json::array rows;
  for (const auto& row : result.rules) {
    rows.push_back(
        {{"area", row.area}, {"rule", row.rule}, {"expected", row.expected}, {"got", row.got}, {"ok", row.ok}});
  }
  return boost::json::serialize(rows);
}

}  // namespace cameleer::sim
