#pragma once
#include <algorithm>
#include <cameleer/async/task.hpp>
#include <cameleer/core/error.hpp>
#include <memory>
#include <optional>
#include <thread>

#include "server/ingest/shared_room.hpp"
#include "server/ingest/turn_queue.hpp"

namespace cameleer::server {

/// In front of the workers: a few requests at once have their turn, the others wait, and agents take turns. So that one
/// that floods delays another by one of its requests, not by all; and what else the workers do is not behind them
/// either. A request is many times larger while it is decoded, so their bytes are bounded as well. I/O thread only.
class DecodeTurns {
 public:
  struct Options {
    unsigned at_once = std::max(2u, std::thread::hardware_concurrency());
    std::size_t bytes_at_once = 32u << 20;           ///< of their bodies; a larger one has its turn alone
    std::size_t waiting_bytes = 128u << 20;          ///< bodies; more are refused with `overloaded`
    std::chrono::milliseconds wait_at_most{15'000};  ///< then `overloaded`
  };
  DecodeTurns(async::Executor executor, Options options);
  ~DecodeTurns();
  DecodeTurns(const DecodeTurns&) = delete;
  DecodeTurns& operator=(const DecodeTurns&) = delete;

  /// A turn lasts as long as this lives.
  class Turn;
  async::Task<Expected<Turn>> take(std::uint64_t sender, std::size_t bytes);
  /// Requests that wait.
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

class DecodeTurns::Turn {
 public:
  Turn(std::shared_ptr<State> state, std::size_t bytes) : state_(std::move(state)), bytes_(bytes) {}
  Turn(Turn&&) noexcept = default;
  Turn& operator=(Turn&&) = delete;
  ~Turn();

 private:
  std::shared_ptr<State> state_;
  std::size_t bytes_;
};

}  // namespace cameleer::server
