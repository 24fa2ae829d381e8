#include "server/telemetry/health.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace cameleer::server {
namespace {

constexpr std::string_view status_of(bool up) {
  return up ? "UP" : "DOWN";
}

// The error itself may name hosts, which are nobody's business who may ask.
std::string_view told(const Error& error) {
  switch (error.code) {
    case ErrorCode::unavailable:
      return "does not answer";
    case ErrorCode::upstream_timeout:
      return "does not answer in time";
    case ErrorCode::overloaded:
      return "is at its limit";
    default:
      return "refuses to answer";
  }
}

boost::json::object shown(const Health::Dependency& dependency) {
  boost::json::object object{{"status", status_of(dependency.up)}};
  if (!dependency.up && dependency.since) object["since"] = format_instant(*dependency.since);
  if (!dependency.detail.empty()) object["detail"] = dependency.detail;
  return object;
}

boost::json::object shown(const HealthWarning& warning) {
  boost::json::object object{{"code", warning.code}, {"detail", warning.detail}};
  if (warning.since) object["since"] = format_instant(*warning.since);
  return object;
}

}  // namespace

void Health::watch(std::string name, Probe probe) {
  dependencies_.push_back({.name = std::move(name), .probe = std::move(probe)});
}

void Health::note(Dependency& dependency, const Expected<void>& answer) {
  const bool changed = !dependency.since || dependency.up != answer.has_value();
  dependency.up = answer.has_value();
  dependency.detail = answer ? std::string() : std::string(told(answer.error()));
  if (!changed) return;
  dependency.since = clock_();
  if (observer_) observer_(dependency, answer ? nullptr : &answer.error());
}

async::Task<> Health::run() {
  const auto executor = co_await async::asio::this_coro::executor;
  for (;;) {
    for (std::size_t i = 0; i < dependencies_.size(); ++i) {
      const auto answer = co_await dependencies_[i].probe();
      note(dependencies_[i], answer);
    }
    co_await async::sleep_for(executor, std::chrono::seconds(2));
  }
}

bool Health::ready() const {
  return started_ && std::all_of(dependencies_.begin(), dependencies_.end(), [](const auto& one) { return one.up; });
}

std::vector<HealthWarning> Health::warnings() const {
  std::vector<HealthWarning> all;
  for (const auto& source : warnings_) std::ranges::move(source(), std::back_inserter(all));
  return all;
}

std::string Health::render() const {
  boost::json::object dependencies;
  for (const auto& one : dependencies_) dependencies[one.name] = shown(one);
  boost::json::object body{{"status", status_of(ready())}, {"dependencies", std::move(dependencies)}};
  if (!started_) body["detail"] = "starting";
  for (const auto& [name, part] : parts_) body[name] = part();
  boost::json::array warned;
  for (const auto& one : warnings()) warned.push_back(shown(one));
  body["warnings"] = std::move(warned);
  return boost::json::serialize(body);
}

}  // namespace cameleer::server
