#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "agent-sim/probe.hpp"

namespace cameleer::sim {
namespace {

namespace json = boost::json;

constexpr const char* kRead = "/api/v1/agents/config";

std::int64_t version_of(const json::value& envelope) {
  const auto* object = envelope.if_object();
  const auto* version = object ? object->if_contains("version") : nullptr;
  return version && version->is_int64() ? version->get_int64() : -1;
}

Probe::Headers bearer(const AgentSession& agent) {
  return {{"Authorization", "Bearer " + agent.access_token()}};
}

async::Task<json::value> read_by(Probe& probe, const AgentSession& agent) {
  auto answer = co_await probe.raw(web::Method::get, kRead, bearer(agent));
  co_return answer ? json_in(*answer) : json::value();
}

}  // namespace

async::Task<> check_configuration(Probe& probe) {
  probe.area("configuration");
  // An application of this run's own: nothing is stored for it.
  const auto application = probe.id("app");
  auto* agent = co_await probe.registered("config", application);
  auto answer = co_await probe.raw(web::Method::get, kRead, bearer(*agent));
  probe.row("an agent reads its configuration", "200", answer);
  const auto nothing = answer ? json_in(*answer) : json::value();
  probe.row("version 0 says that nothing is stored", "0", std::to_string(version_of(nothing)));
  probe.row(
      "the envelope has its members", "all there",
      lacking(nothing, {"application", "environment", "version", "samplingRate", "engineLevel", "payloadCaptureMode",
                        "tracedProcessors", "taps", "routeRecording", "sensitiveKeys", "mergedSensitiveKeys"}));
  probe.row("reading needs a token", "401", co_await probe.raw(web::Method::get, kRead, {}));

  const auto path = fmt::format("/api/v1/environments/{}/apps/{}/config",
                                web::percent_encode(probe.options().environment), web::percent_encode(application));
  auto opened = co_await CommandStream::open(probe.executor(), probe.options().server, *agent, {});
  auto put = co_await probe.admin().send_json(web::Method::put, path + "?apply=live",
                                              R"({"samplingRate":0.5,"sensitiveKeys":["pin"]})");
  probe.row("a configuration is applied live", "200", put);
  const auto live = version_of(put ? json_in(*put) : json::value());
  probe.row("its version goes up", "yes", live > 0 ? "yes" : std::to_string(live));
  std::string pushed = "no stream";
  if (opened) {
    auto event = co_await opened->next_event(std::chrono::seconds(10));
    pushed = event && *event ? (*event)->name : event ? "the stream ended" : event.error().message;
  }
  probe.row("running agents get config-update", "config-update", pushed);
  const auto read = co_await read_by(probe, *agent);
  probe.row("agents read the new version", live > 0 ? std::to_string(live) : "a version",
            std::to_string(version_of(read)));
  const auto* keys = read.is_object() ? read.get_object().if_contains("mergedSensitiveKeys") : nullptr;
  const auto merged = keys ? json::serialize(*keys) : std::string();
  const bool both = merged.find("\"pin\"") != std::string::npos && merged.find("Authorization") != std::string::npos;
  probe.row("mergedSensitiveKeys are the defaults and the application's", "both", both ? "both" : merged);

  auto staged = co_await probe.admin().send_json(web::Method::put, path + "?apply=staged", R"({"samplingRate":0.25})");
  const auto waiting = version_of(staged ? json_in(*staged) : json::value());
  probe.row("a staged configuration has a version above", "yes", waiting > live ? "yes" : said(staged));
  probe.row("running agents do not read it", live > 0 ? std::to_string(live) : "a version",
            std::to_string(version_of(co_await read_by(probe, *agent))));
  auto* next = co_await probe.registered("config-next", application);
  const auto& registration = next->registration();
  const auto* at_start = registration.is_object() ? registration.get_object().if_contains("config") : nullptr;
  probe.row("an agent that registers gets it", waiting > 0 ? std::to_string(waiting) : "a version",
            std::to_string(at_start ? version_of(*at_start) : -1));
  probe.row("a sampling rate is 0 to 1", "400 invalid_member /samplingRate",
            co_await probe.admin().send_json(web::Method::put, path, R"({"samplingRate":2})"));
}

}  // namespace cameleer::sim
