#include "server/ingest/batch_writer.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

namespace cameleer::server {
namespace {

using Result = Expected<void>;

struct Entry {
  Entry(async::Executor executor, EncodedRows encoded)
      : rows(std::move(encoded)), settled(executor, async::SteadyTimer::time_point::max()) {}
  EncodedRows rows;
  async::SteadyTimer settled;  // cancelled when there is a result
  std::optional<Result> result;
};
using Entries = std::vector<std::shared_ptr<Entry>>;

// Codes by which the engine says that it will never take these bytes: parse errors, wrong values, columns that
// it does not have, too many partitions.
bool refuses_content(int code) {
  constexpr std::array codes{6, 16, 26, 27, 32, 33, 38, 41, 53, 69, 70, 72, 117, 131, 190, 252, 321, 349};
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

void settle(const Entries& entries, const Result& result) {
  for (const auto& entry : entries) {
    if (entry->result) continue;
    entry->result = result;
    entry->settled.cancel();
  }
}

// Requests that end with the same table.
struct Lane {
  std::deque<std::shared_ptr<Entry>> queue;
  bool running = false;
};

Entries take_batch(Lane& lane, const BatchWriter::Options& options) {
  Entries batch;
  std::size_t rows = 0, bytes = 0;
  while (!lane.queue.empty()) {
    const auto& next = lane.queue.front()->rows;
    rows += next.rows();
    bytes += next.bytes();
    if (!batch.empty() && (rows > options.batch_rows || bytes > options.batch_bytes)) break;
    batch.push_back(std::move(lane.queue.front()));
    lane.queue.pop_front();
  }
  return batch;
}

bool same_shape(const TablePart& a, const TablePart& b) {
  if (a.table != b.table || a.columns.size() != b.columns.size()) return false;
  return a.columns.data() == b.columns.data() ||
         std::ranges::equal(a.columns, b.columns,
                            [](const auto& x, const auto& y) { return x.name == y.name && x.type == y.type; });
}

// One part for each table, the last one last. The entries keep theirs, unless there is only one, which needs no second
// attempt.
std::vector<TablePart> joined(const Entries& batch) {
  if (batch.size() == 1) return std::move(batch.front()->rows.parts);
  std::vector<TablePart> parts;
  const auto last = batch.front()->rows.parts.back().table;
  for (const auto& entry : batch) {
    for (const auto& part : entry->rows.parts) {
      const auto same = std::ranges::find_if(parts, [&part](const auto& known) { return same_shape(known, part); });
      if (same == parts.end())
        parts.push_back(part);
      else
        same->body += part.body;
    }
  }
  std::partition(parts.begin(), parts.end(), [last](const auto& part) { return part.table != last; });
  return parts;
}

// Inserts that run side by side; the outcome is the first failure.
struct Inserts {
  Inserts(async::Executor executor, std::size_t count)
      : ended(executor, async::SteadyTimer::time_point::max()), running(count) {}
  async::SteadyTimer ended;  // cancelled when none runs
  std::size_t running;
  clickhouse::Outcome<void> outcome;
  std::exception_ptr thrown;
};

async::Task<> insert_one(const Inserter* inserter, TablePart part, std::shared_ptr<Inserts> inserts) {
  try {
    auto outcome = co_await (*inserter)(std::string(part.table), part.columns, std::move(part.body));
    if (!outcome && inserts->outcome) inserts->outcome = std::move(outcome);
  } catch (...) {
    inserts->thrown = std::current_exception();
  }
  if (--inserts->running == 0) inserts->ended.cancel();
}

// The last part waits for the others: whoever sees an execution sees its steps.
async::Task<clickhouse::Outcome<void>> insert(async::Executor executor, const Inserter& inserter,
                                              std::vector<TablePart> parts) {
  auto last = std::move(parts.back());
  parts.pop_back();
  if (!parts.empty()) {
    const auto inserts = std::make_shared<Inserts>(executor, parts.size());
    for (auto& part : parts) {
      boost::asio::co_spawn(executor, insert_one(&inserter, std::move(part), inserts), boost::asio::detached);
    }
    if (inserts->running > 0) co_await inserts->ended.async_wait(async::as_result);
    if (inserts->thrown) std::rethrow_exception(inserts->thrown);
    if (!inserts->outcome) co_return std::move(inserts->outcome);
  }
  co_return co_await inserter(std::string(last.table), last.columns, std::move(last.body));
}

Result result_of(const clickhouse::Outcome<void>& outcome) {
  if (outcome) return {};
  if (refuses_content(outcome.error().code)) {
    return fail(ErrorCode::malformed_body, "The store refuses the content of this request.");
  }
  return fail(ErrorCode::unavailable, "The store does not take rows at the moment.");
}

}  // namespace

struct BatchWriter::State {
  State(async::Executor executor_, Inserter inserter_, Options options_)
      : executor(executor_), inserter(std::move(inserter_)), options(options_), idle(executor_) {}

  async::Executor executor;
  Inserter inserter;
  Options options;
  std::map<std::string_view, Lane> lanes;
  std::size_t held_bytes = 0, running = 0;
  bool stopping = false;
  async::SteadyTimer idle;  // cancelled when the last row is settled
  Counters counters;
};

namespace {

using RowCounts = std::vector<std::pair<std::string_view, std::size_t>>;

RowCounts count_rows(const Entries& batch) {
  RowCounts counts;
  for (const auto& entry : batch) {
    for (const auto& part : entry->rows.parts) counts.emplace_back(part.table, part.rows);
  }
  return counts;
}

template <class StatePtr>
async::Task<> insert_batch(StatePtr state, Entries batch) {
  auto& counters = state->counters;
  ++counters.batches;
  const auto counts = count_rows(batch);
  const auto outcome = co_await insert(state->executor, state->inserter, joined(batch));
  if (!outcome && batch.size() > 1 && refuses_content(outcome.error().code)) {
    ++counters.split_batches;
    for (auto& entry : batch) {
      Entries alone{entry};
      co_await insert_batch(state, std::move(alone));
    }
    co_return;
  }
  const auto result = result_of(outcome);
  if (result) {
    for (const auto& [table, rows] : counts) counters.rows[table] += rows;
  } else {
    (result.error().code == ErrorCode::malformed_body ? counters.refused : counters.failed) += batch.size();
  }
  settle(batch, result);
}

template <class StatePtr>
async::Task<> run(StatePtr state, Lane* lane) {
  // What arrives in the same turn of the loop is company already.
  co_await boost::asio::post(state->executor, async::use_task);
  while (!lane->queue.empty()) {
    auto batch = take_batch(*lane, state->options);
    std::size_t bytes = 0;
    for (const auto& entry : batch) bytes += entry->rows.bytes();
    try {
      co_await insert_batch(state, batch);
    } catch (...) {
      settle(batch, fail(ErrorCode::internal, "The rows could not be stored."));
    }
    state->held_bytes -= bytes;
  }
  lane->running = false;
  if (--state->running == 0) state->idle.cancel();
}

}  // namespace

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
  auto& lane = state->lanes[rows.parts.back().table];
  const auto entry = std::make_shared<Entry>(state->executor, std::move(rows));
  entry->settled.expires_after(state->options.answer_within);
  state->held_bytes += entry->rows.bytes();
  lane.queue.push_back(entry);
  if (!lane.running) {
    lane.running = true;
    ++state->running;
    boost::asio::co_spawn(state->executor, run(state, &lane), boost::asio::detached);
  }
  if (!entry->result) co_await entry->settled.async_wait(async::as_result);
  if (entry->result) co_return *entry->result;
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

}  // namespace cameleer::server
