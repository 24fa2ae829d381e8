#include "server/ingest/decode_turns.hpp"

namespace cameleer::server {

struct DecodeTurns::State {
  struct Waiter {
    Waiter(async::Executor executor, std::size_t size) : granted_at(executor), bytes(size) {}
    async::SteadyTimer granted_at;  // cancelled when it has its turn
    std::size_t bytes;
    bool granted = false, gone = false;
  };

  State(async::Executor executor_, Options options_)
      : executor(executor_), options(options_), room(options_.waiting_bytes) {}

  async::Executor executor;
  Options options;
  SharedRoom room;
  TurnQueue<std::shared_ptr<Waiter>> queue;
  unsigned running = 0;
  std::size_t running_bytes = 0, waiting = 0;

  [[nodiscard]] bool fits(std::size_t bytes) const {
    return running == 0 || (running < options.at_once && running_bytes + bytes <= options.bytes_at_once);
  }
  void begin(std::size_t bytes) {
    ++running;
    running_bytes += bytes;
  }
  void end(std::size_t bytes) {
    --running;
    running_bytes -= bytes;
    grant();
  }
  // Who is next has its turn before those behind it, smaller ones too: else a large request would never have one.
  void grant() {
    while (!queue.empty()) {
      if (const auto& next = queue.front(); !next->gone) {
        if (!fits(next->bytes)) return;
        begin(next->bytes);
        next->granted = true;
        next->granted_at.cancel();
      }
      queue.pop();
    }
  }
};

DecodeTurns::DecodeTurns(async::Executor executor, Options options)
    : state_(std::make_shared<State>(executor, options)) {}

DecodeTurns::~DecodeTurns() = default;

DecodeTurns::Turn::~Turn() {
  if (state_) state_->end(bytes_);
}

async::Task<Expected<DecodeTurns::Turn>> DecodeTurns::take(std::uint64_t sender, std::size_t bytes) {
  const auto state = state_;
  if (state->queue.empty() && state->fits(bytes)) {
    state->begin(bytes);
    co_return Turn(state, bytes);
  }
  const auto busy = [] { return fail(ErrorCode::overloaded, "Too many data requests wait to be decoded."); };
  if (!state->room.take(sender, bytes)) co_return busy();
  const auto waiter = std::make_shared<State::Waiter>(state->executor, bytes);
  state->queue.push(sender, waiter);
  ++state->waiting;
  waiter->granted_at.expires_after(state->options.wait_at_most);
  co_await waiter->granted_at.async_wait(async::as_result);
  --state->waiting;
  state->room.give_back(sender, bytes);
  if (waiter->granted) co_return Turn(state, bytes);
  waiter->gone = true;
  state->grant();
  co_return busy();
}

std::size_t DecodeTurns::waiting() const {
  return state_->waiting;
}

}  // namespace cameleer::server
