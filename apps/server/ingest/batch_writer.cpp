#include "server/ingest/batch_writer.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "server/ingest/execution_columns.hpp"

namespace cameleer::server {
namespace {

using Result = Expected<void>;

struct Entry {
  Entry(async::Executor executor, EncodedRows encoded)
      : rows(std::move(encoded)), settled(executor, async::SteadyTimer::time_point::max()) {}
  EncodedRows rows;
  std::chrono::steady_clock::time_point arrived = std::chrono::steady_clock::now();
  async::SteadyTimer settled;  // cancelled when there is a result
  std::optional<Result> result;
};
using Entries = std::vector<std::shared_ptr<Entry>>;

// Codes by which the engine says that it will never take these bytes: parse errors, wrong values, too many partitions.
bool refuses_content(int code) {
  constexpr std::array codes{6, 26, 27, 32, 33, 38, 41, 53, 69, 70, 72, 117, 131, 190, 252, 321, 349};
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

void settle(const Entries& entries, const Result& result) {
  for (const auto& entry : entries) {
    if (entry->result) continue;
    entry->result = result;
    entry->settled.cancel();
  }
}

}  // namespace

struct BatchWriter::State {
  State(async::Executor executor_, Inserter inserter_, Options options_)
      : executor(executor_), inserter(std::move(inserter_)), options(options_), wake(executor_), idle(executor_) {}

  async::Executor executor;
  Inserter inserter;
  Options options;
  std::deque<std::shared_ptr<Entry>> queue;
  std::size_t queued_rows = 0, queued_bytes = 0, held_bytes = 0;
  bool running = false, stopping = false;
  async::SteadyTimer wake;  // ends the linger
  async::SteadyTimer idle;  // cancelled when the last row is settled
  Counters counters;

  [[nodiscard]] bool full() const { return queued_rows >= options.batch_rows || queued_bytes >= options.batch_bytes; }

  Entries take_batch() {
    Entries batch;
    std::size_t rows = 0, bytes = 0;
    while (!queue.empty()) {
      const auto& next = queue.front()->rows;
      if (!batch.empty() && (rows + next.rows > options.batch_rows || bytes + next.bytes() > options.batch_bytes))
        break;
      rows += next.rows;
      bytes += next.bytes();
      batch.push_back(std::move(queue.front()));
      queue.pop_front();
    }
    queued_rows -= rows;
    queued_bytes -= bytes;
    return batch;
  }
};

namespace {

std::string joined(const Entries& batch, std::string EncodedRows::* part) {
  if (batch.size() == 1) return (*batch.front()).rows.*part;
  std::size_t size = 0;
  for (const auto& entry : batch) size += (entry->rows.*part).size();
  std::string body;
  body.reserve(size + 64);
  for (const auto& entry : batch) body += entry->rows.*part;
  return body;
}

// Steps first: whoever sees an execution sees its steps.
async::Task<clickhouse::Outcome<void>> insert(const Inserter& inserter, const Entries& batch) {
  auto processors = joined(batch, &EncodedRows::processors);
  if (!processors.empty()) {
    auto outcome = co_await inserter("processor_executions", processor_columns(), std::move(processors));
    if (!outcome) co_return outcome;
  }
  auto executions = joined(batch, &EncodedRows::executions);
  if (executions.empty()) co_return clickhouse::Outcome<void>{};
  co_return co_await inserter("executions", execution_columns(), std::move(executions));
}

Result result_of(const clickhouse::Outcome<void>& outcome) {
  if (outcome) return {};
  if (refuses_content(outcome.error().code)) {
    return fail(ErrorCode::malformed_body, "The store refuses the content of this request.");
  }
  return fail(ErrorCode::unavailable, "The store does not take rows at the moment.");
}

async::Task<> insert_batch(const Inserter& inserter, BatchWriter::Counters& counters, Entries batch) {
  ++counters.batches;
  const auto outcome = co_await insert(inserter, batch);
  if (!outcome && batch.size() > 1 && refuses_content(outcome.error().code)) {
    ++counters.split_batches;
    for (auto& entry : batch) {
      Entries alone{entry};
      co_await insert_batch(inserter, counters, std::move(alone));
    }
    co_return;
  }
  const auto result = result_of(outcome);
  for (const auto& entry : batch) {
    if (result)
      counters.rows += entry->rows.rows;
    else
      ++(result.error().code == ErrorCode::malformed_body ? counters.refused : counters.failed);
  }
  settle(batch, result);
}

template <class StatePtr>
async::Task<> run(StatePtr state) {
  while (!state->queue.empty()) {
    if (!state->full() && !state->stopping) {
      state->wake.expires_at(state->queue.front()->arrived + state->options.linger);
      co_await state->wake.async_wait(async::as_result);
    }
    auto batch = state->take_batch();
    std::size_t bytes = 0;
    for (const auto& entry : batch) bytes += entry->rows.bytes();
    try {
      co_await insert_batch(state->inserter, state->counters, batch);
    } catch (...) {
      settle(batch, fail(ErrorCode::internal, "The rows could not be stored."));
    }
    state->held_bytes -= bytes;
  }
  state->running = false;
  state->idle.cancel();
}

}  // namespace

BatchWriter::BatchWriter(async::Executor executor, Inserter inserter, Options options)
    : state_(std::make_shared<State>(executor, std::move(inserter), options)) {}

BatchWriter::~BatchWriter() = default;

async::Task<Expected<void>> BatchWriter::write(EncodedRows rows) {
  const auto state = state_;
  ++state->counters.requests;
  if (state->stopping) co_return fail(ErrorCode::unavailable, "The server is stopping.");
  if (state->held_bytes + rows.bytes() > state->options.waiting_bytes) {
    co_return fail(ErrorCode::overloaded, "Too many rows wait for the store.");
  }
  const auto entry = std::make_shared<Entry>(state->executor, std::move(rows));
  entry->settled.expires_after(state->options.answer_within);
  state->queued_rows += entry->rows.rows;
  state->queued_bytes += entry->rows.bytes();
  state->held_bytes += entry->rows.bytes();
  state->queue.push_back(entry);
  if (!state->running) {
    state->running = true;
    boost::asio::co_spawn(state->executor, run(state), boost::asio::detached);
  } else if (state->full()) {
    state->wake.cancel();
  }
  if (!entry->result) co_await entry->settled.async_wait(async::as_result);
  if (entry->result) co_return *entry->result;
  co_return fail(ErrorCode::unavailable, "The store did not take the rows in time.");
}

async::Task<> BatchWriter::stop() {
  const auto state = state_;
  state->stopping = true;
  state->wake.cancel();
  while (state->running) {
    state->idle.expires_after(state->options.answer_within);
    const auto [error] = co_await state->idle.async_wait(async::as_result);
    if (!error) break;
  }
}

const BatchWriter::Counters& BatchWriter::counters() const {
  return state_->counters;
}

}  // namespace cameleer::server
