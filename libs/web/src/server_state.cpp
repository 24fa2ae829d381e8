#include "server_state.hpp"

#include <fmt/format.h>

#include <ctime>
#include <random>

namespace cameleer::web {

ServerState::ServerState(async::Executor executor_, async::WorkerPool& workers_, const Router& router_,
                         ServerOptions options_)
    : executor(executor_), workers(workers_), router(router_), options(std::move(options_)), room_made(executor_) {
  base_path = options.base_path;
  while (base_path.ends_with('/')) base_path.pop_back();
  // Ids need to differ between processes and restarts, not to be secret.
  std::random_device device;
  request_id_prefix_ = fmt::format("{:08x}{:08x}", device(), device());
  tick();
}

void ServerState::tick() {
  now = std::chrono::steady_clock::now();
  const std::time_t seconds = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  date.assign(text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc));
}

std::string ServerState::next_request_id() {
  return fmt::format("{}-{:x}", request_id_prefix_, ++last_request_);
}

}  // namespace cameleer::web
