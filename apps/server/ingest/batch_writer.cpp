#include "server/ingest/batch_writer.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "server/ingest/engine_refusal.hpp"
#include "server/ingest/part_inserts.hpp"
#include "server/ingest/shared_room.hpp"
#include "server/ingest/turn_queue.hpp"

namespace cameleer::server {
namespace {

using Result = Expected<void>;

struct Entry {
  Entry(async::Executor executor, EncodedRows encoded)
      : rows(std::move(encoded)),
        count(rows.rows()),
        bytes(rows.bytes()),
        settled(executor, async::SteadyTimer::time_point::max()) {}
  EncodedRows rows;
  std::size_t count, bytes;
  async::SteadyTimer settled;  // cancelled when there is a result
  std::optional<Result> result;
};
using EntryPtr = std::shared_ptr<Entry>;
using Entries = std::vector<EntryPtr>;

// Requests that end with the same table.
struct Lane {
  TurnQueue<EntryPtr> queue;
  bool running = false;
};

Entries take_batch(Lane& lane, const BatchWriter::Options& options) {
  Entries batch;
  std::size_t rows = 0, bytes = 0;
  while (!lane.queue.empty()) {
    const auto& next = *lane.queue.front();
    rows += next.count;
    bytes += next.bytes;
    const bool full = rows > options.batch_rows || bytes > options.batch_bytes;
    if (!batch.empty() && (full || next.rows.alone || batch.back()->rows.alone)) break;
    batch.push_back(lane.queue.pop());
  }
  return batch;
}

Result result_of(const clickhouse::Outcome<void>& outcome) {
  if (outcome) return {};
  switch (refusal_of(outcome.error())) {
    case Refusal::content:
      return fail(ErrorCode::malformed_body, "The store refuses the content of this request.");
    case Refusal::unclear:
      return fail(ErrorCode::upstream_error, "The store refuses the rows of this request.");
    case Refusal::passing:
      break;
  }
  return fail(ErrorCode::unavailable, "The store does not take rows at the moment.");
}

void settle(const Entries& entries, const Result& result) {
  for (const auto& entry : entries) {
    if (entry->result) continue;
    entry->result = result;
    entry->settled.cancel();
  }
}

using RowCounts = std::vector<std::pair<std::string_view, std::size_t>>;

RowCounts count_rows(const Entries& batch) {
  RowCounts counts;
  for (const auto& entry : batch) {
    for (const auto& part : entry->rows.parts) counts.emplace_back(part.table, part.rows);
  }
  return counts;
}

}  // namespace

struct BatchWriter::State : std::enable_shared_from_this<State> {
  State(async::Executor executor_, Inserter inserter_, Options options_, async::WorkerPool* workers_)
      : executor(executor_),
        inserter(std::move(inserter_)),
        options(options_),
        workers(workers_),
        room(options_.waiting_bytes),
        idle(executor_) {}

  async::Executor executor;
  Inserter inserter;
  Options options;
  async::WorkerPool* workers;
  std::map<std::string_view, Lane> lanes;
  SharedRoom room;
  std::size_t running = 0;
  bool stopping = false;
  async::SteadyTimer idle;  // cancelled when the last row is settled
  Counters counters;

  async::Task<std::vector<TablePart>> join(const Entries& batch);
  async::Task<Result> insert(const Entries& batch);
  async::Task<> insert_batch(Entries batch);
  async::Task<> run(Lane* lane);
};

using State = BatchWriter::State;

// The entries keep their parts for a second attempt, unless there is only one, which needs none.
async::Task<std::vector<TablePart>> State::join(const Entries& batch) {
  if (batch.size() == 1) co_return std::move(batch.front()->rows.parts);
  std::vector<const EncodedRows*> all;
  all.reserve(batch.size());
  for (const auto& entry : batch) all.push_back(&entry->rows);
  if (workers) {
    auto joined = co_await workers->run([all] { return joined_parts(all); });
    if (joined) co_return std::move(*joined);
  }
  co_return joined_parts(all);
}

async::Task<Result> State::insert(const Entries& batch) {
  const auto counts = count_rows(batch);
  std::size_t rows = 0, bytes = 0, requests = 0;
  for (const auto& entry : batch) {
    rows += entry->count;
    bytes += entry->bytes;
    requests += entry->rows.requests;
  }
  auto parts = co_await join(batch);
  ++counters.batches;
  counters.batch_rows.add(static_cast<double>(rows));
  counters.batch_bytes.add(static_cast<double>(bytes));
  const auto begun = std::chrono::steady_clock::now();
  const auto result = result_of(co_await insert_parts(executor, inserter, std::move(parts)));
  counters.insert_seconds.add(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
  if (result) {
    for (const auto& [table, count] : counts) counters.rows[table] += count;
  } else if (batch.size() == 1 || result.error().code != ErrorCode::malformed_body) {
    (result.error().code == ErrorCode::malformed_body ? counters.refused : counters.failed) += requests;
  }
  co_return result;
}

async::Task<> State::insert_batch(Entries batch) {
  const auto result = co_await insert(batch);
  if (batch.size() == 1 || result || result.error().code != ErrorCode::malformed_body) {
    settle(batch, result);
    co_return;
  }
  ++counters.split_batches;
  const auto middle = batch.begin() + static_cast<std::ptrdiff_t>(batch.size() / 2);
  co_await insert_batch(Entries(batch.begin(), middle));
  co_await insert_batch(Entries(middle, batch.end()));
}

async::Task<> State::run(Lane* lane) {
  const auto self = shared_from_this();
  // What arrives in the same turn of the loop is company already.
  co_await boost::asio::post(executor, async::use_task);
  while (!lane->queue.empty()) {
    const auto batch = take_batch(*lane, options);
    try {
      co_await insert_batch(batch);
    } catch (...) {
      settle(batch, fail(ErrorCode::internal, "The rows could not be stored."));
    }
    for (const auto& entry : batch) room.give_back(entry->rows.sender, entry->bytes);
  }
  lane->running = false;
  if (--running == 0) idle.cancel();
}

std::span<const std::string_view> ingest_tables() {
  static constexpr std::array<std::string_view, 7> kTables{
      "executions", "processor_executions", "route_catalog", "logs", "agent_metrics", "agent_events", "route_diagrams"};
  return kTables;
}

std::size_t EncodedRows::rows() const {
  std::size_t rows = 0;
  for (const auto& part : parts) rows += part.rows;
  return rows;
}

std::size_t EncodedRows::bytes() const {
  std::size_t bytes = 0;
  for (const auto& part : parts) bytes += part.body.size();
  return bytes;
}

std::unexpected<Error> refuse_oversized(std::size_t bytes) {
  return fail(ErrorCode::body_too_large,
              fmt::format("The rows of this request take {} bytes, more than may wait to be stored: "
                          "send fewer elements in one request.",
                          bytes));
}

BatchWriter::BatchWriter(async::Executor executor, Inserter inserter, Options options, async::WorkerPool* workers)
    : state_(std::make_shared<State>(executor, std::move(inserter), options, workers)) {}

BatchWriter::~BatchWriter() = default;

async::Task<Expected<void>> BatchWriter::write(EncodedRows rows) {
  const auto state = state_;
  state->counters.requests += rows.requests;
  if (state->stopping) co_return fail(ErrorCode::unavailable, "The server is stopping.");
  if (!state->room.could_take(rows.bytes())) co_return refuse_oversized(rows.bytes());
  if (!state->room.take(rows.sender, rows.bytes())) {
    ++state->counters.refused_waiting;
    co_return fail(ErrorCode::overloaded, "Too many rows wait for the store.");
  }
  auto& lane = state->lanes[rows.parts.back().table];
  const auto entry = std::make_shared<Entry>(state->executor, std::move(rows));
  entry->settled.expires_after(state->options.answer_within);
  lane.queue.push(entry->rows.sender, entry);
  if (!lane.running) {
    lane.running = true;
    ++state->running;
    boost::asio::co_spawn(
        state->executor,
        [](std::shared_ptr<State> self, Lane* own) -> async::Task<> { co_await self->run(own); }(state, &lane),
        boost::asio::detached);
  }
  if (!entry->result) co_await entry->settled.async_wait(async::as_result);
  if (entry->result) co_return *entry->result;
  ++state->counters.timed_out;
  co_return fail(ErrorCode::unavailable, "The store did not take the rows in time.");
}

async::Task<> BatchWriter::stop() {
  const auto state = state_;
  state->stopping = true;
  while (state->running > 0) {
    state->idle.expires_after(state->options.answer_within);
    const auto [error] = co_await state->idle.async_wait(async::as_result);
    if (!error) break;
  }
}

const BatchWriter::Counters& BatchWriter::counters() const {
  return state_->counters;
}

const BatchWriter::Options& BatchWriter::options() const {
  return state_->options;
}

}  // namespace cameleer::server
