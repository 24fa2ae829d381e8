#include "server/telemetry/health.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace cameleer::server {
namespace {

constexpr std::string_view status_of(bool up) {
  return up ? "UP" : "DOWN";
}

}  // namespace

void Health::watch(std::string name, Probe probe) {
  dependencies_.push_back({.name = std::move(name), .probe = std::move(probe)});
}

async::Task<> Health::run() {
  const auto executor = co_await async::asio::this_coro::executor;
  for (;;) {
    for (std::size_t i = 0; i < dependencies_.size(); ++i) {
      const auto answer = co_await dependencies_[i].probe();
      dependencies_[i].up = answer.has_value();
      dependencies_[i].detail = answer ? std::string() : answer.error().message;
    }
    co_await async::sleep_for(executor, std::chrono::seconds(2));
  }
}

bool Health::ready() const {
  return started_ && std::all_of(dependencies_.begin(), dependencies_.end(), [](const auto& one) { return one.up; });
}

std::string Health::render() const {
  boost::json::object all;
  for (const auto& one : dependencies_) {
    boost::json::object shown{{"status", status_of(one.up)}};
    if (!one.detail.empty()) shown["detail"] = one.detail;
    all[one.name] = std::move(shown);
  }
  boost::json::object body{{"status", status_of(ready())}, {"dependencies", std::move(all)}};
  if (!started_) body["detail"] = "starting";
  return boost::json::serialize(body);
}

}  // namespace cameleer::server
