#include "server/ingest/decode_turns.hpp"

namespace cameleer::server {

struct DecodeTurns::State {
  struct Waiter {
    explicit Waiter(async::Executor executor) : granted_at(executor) {}
    async::SteadyTimer granted_at;  // cancelled when it has its turn
    bool granted = false, gone = false;
  };

  State(async::Executor executor_, Options options_)
      : executor(executor_), options(options_), room(options_.waiting_bytes) {}

  async::Executor executor;
  Options options;
  SharedRoom room;
  TurnQueue<std::shared_ptr<Waiter>> queue;
  unsigned running = 0;
  std::size_t waiting = 0;

  // The turn goes to who waits, or back.
  void pass_on() {
    while (!queue.empty()) {
      const auto next = queue.pop();
      if (next->gone) continue;
      next->granted = true;
      next->granted_at.cancel();
      return;
    }
    --running;
  }
};

DecodeTurns::DecodeTurns(async::Executor executor, Options options)
    : state_(std::make_shared<State>(executor, options)) {}

DecodeTurns::~DecodeTurns() = default;

DecodeTurns::Turn::~Turn() {
  if (state_) state_->pass_on();
}

async::Task<Expected<DecodeTurns::Turn>> DecodeTurns::take(std::uint64_t sender, std::size_t bytes) {
  const auto state = state_;
  if (state->running < state->options.at_once) {
    ++state->running;
    co_return Turn(state);
  }
  const auto busy = [] { return fail(ErrorCode::overloaded, "Too many data requests wait to be decoded."); };
  if (!state->room.take(sender, bytes)) co_return busy();
  const auto waiter = std::make_shared<State::Waiter>(state->executor);
  state->queue.push(sender, waiter);
  ++state->waiting;
  waiter->granted_at.expires_after(state->options.wait_at_most);
  co_await waiter->granted_at.async_wait(async::as_result);
  --state->waiting;
  state->room.give_back(sender, bytes);
  if (waiter->granted) co_return Turn(state);
  waiter->gone = true;
  co_return busy();
}

std::size_t DecodeTurns::waiting() const {
  return state_->waiting;
}

}  // namespace cameleer::server
