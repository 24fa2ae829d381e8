#include "server/ingest/journaled_writer.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <cameleer/journal/journal.hpp>
#include <deque>
#include <optional>

#include "server/ingest/journal_record.hpp"
#include "server/ingest/rejected_rows.hpp"

namespace cameleer::server {
namespace {

constexpr std::chrono::milliseconds kRemovalsWait{50};  // for a commit to ride with
constexpr std::size_t kMostRemovals = 10'000;

// A request on its way to the disk.
struct Incoming {
  Incoming(async::Executor executor, EncodedRows encoded, std::string bytes)
      : rows(std::move(encoded)), record(std::move(bytes)), settled(executor, async::SteadyTimer::time_point::max()) {}
  EncodedRows rows;
  std::string record;
  async::SteadyTimer settled;  // cancelled when there is a result
  std::optional<Expected<void>> result;
};
using IncomingPtr = std::shared_ptr<Incoming>;

// What one commit is to do, and what came of it. With the disk's thread meanwhile.
struct Commit {
  std::vector<std::string> added;
  std::vector<std::uint64_t> removed;
  Expected<std::uint64_t> first = 0;
  bool removals_done = false;
  std::uint64_t bytes = 0;  ///< in the journal then
};

// A journal that is full, or a disk that refuses more, must still be able to forget; that may make the room.
void carry_out(journal::Journal& journal, Commit& commit) {
  commit.first = journal.commit(commit.added, commit.removed);
  commit.removals_done = commit.first || journal.commit({}, commit.removed);
  if (!commit.first && commit.removals_done && !commit.removed.empty()) commit.first = journal.commit(commit.added, {});
  commit.bytes = journal.bytes();
}

}  // namespace

struct JournaledWriter::State : std::enable_shared_from_this<State> {
  State(async::Executor executor_, BatchWriter& store_, Clock clock_, Options options_)
      : executor(executor_),
        store(store_),
        clock(std::move(clock_)),
        options(std::move(options_)),
        rejected(options.rejected),
        retry(executor_),
        idle(executor_) {}

  async::Executor executor;
  BatchWriter& store;
  Clock clock;
  Options options;
  async::WorkerPool disk{1, 1'024};
  std::optional<journal::Journal> journal;  // the disk's thread's alone, once it is open
  RejectedRows rejected;                    // likewise
  Figures figures;
  bool stopping = false, closed = true;

  // To the disk.
  std::deque<IncomingPtr> incoming;
  std::vector<std::uint64_t> removals;
  std::size_t incoming_bytes = 0;
  bool committing = false;

  // To the store. Every record that the journal holds is in `pending`; those not under way are in `parked` as well.
  std::map<std::uint64_t, Instant> pending;       // id, and since when
  std::map<std::uint64_t, std::uint64_t> parked;  // id and bytes
  std::size_t under_way = 0, under_way_bytes = 0;
  bool broken = false;  // the store failed last: one record at a time finds out when it is back
  std::chrono::milliseconds backoff{0};
  async::SteadyTimer retry, idle;

  async::Task<> run_commits();
  async::Task<> commit_batch();
  void accepted(const std::vector<IncomingPtr>& batch, std::uint64_t first);
  static void refuse(const std::vector<IncomingPtr>& batch, const Error& error);
  void begin_commits();

  void pump();
  void start(std::uint64_t id, std::uint64_t bytes, std::optional<EncodedRows> rows);
  async::Task<> deliver(std::uint64_t id, std::uint64_t bytes, std::optional<EncodedRows> rows);
  async::Task<Expected<void>> send(std::uint64_t id, std::optional<EncodedRows> rows);
  async::Task<bool> set_aside(std::uint64_t id, std::string_view reason);
  void park(std::uint64_t id, std::uint64_t bytes);
  void finished(std::uint64_t id);
  async::Task<> wait_and_pump();
};

using State = JournaledWriter::State;

void State::begin_commits() {
  if (committing) return;
  committing = true;
  boost::asio::co_spawn(
      executor, [](std::shared_ptr<State> self) -> async::Task<> { co_await self->run_commits(); }(shared_from_this()),
      boost::asio::detached);
}

async::Task<> State::run_commits() {
  const auto self = shared_from_this();
  // What arrives in the same turn of the loop is company already.
  co_await boost::asio::post(executor, async::use_task);
  while (!incoming.empty() || !removals.empty()) {
    if (incoming.empty() && !stopping && removals.size() < kMostRemovals) {
      async::SteadyTimer company(executor, kRemovalsWait);
      co_await company.async_wait(async::as_result);
    }
    co_await commit_batch();
  }
  committing = false;
  idle.cancel();
}

async::Task<> State::commit_batch() {
  std::vector<IncomingPtr> batch;
  auto commit = std::make_shared<Commit>();
  std::size_t bytes = 0;
  while (!incoming.empty() && (batch.empty() || bytes + incoming.front()->record.size() <= options.commit_bytes)) {
    auto& next = incoming.front();
    bytes += next->record.size();
    commit->added.push_back(std::move(next->record));
    batch.push_back(std::move(next));
    incoming.pop_front();
  }
  commit->removed = std::exchange(removals, {});
  const auto ran = co_await disk.run([this, commit] { return carry_out(*journal, *commit), true; });
  if (!ran) commit->first = std::unexpected(ran.error());
  incoming_bytes -= bytes;
  // Without its removal a record is delivered again after the next start, which shows nothing twice.
  if (!commit->removals_done && !stopping) {
    removals.insert(removals.end(), commit->removed.begin(), commit->removed.end());
  }
  if (commit->first) {
    ++figures.commits;
    accepted(batch, *commit->first);
  } else {
    (commit->first.error().code == ErrorCode::overloaded ? figures.refused_full : figures.refused_disk) += batch.size();
    refuse(batch, commit->first.error());
  }
  figures.records = pending.size();
  if (ran) figures.bytes = commit->bytes;
  pump();
}

void State::accepted(const std::vector<IncomingPtr>& batch, std::uint64_t first) {
  const auto now = clock();
  for (const auto& request : batch) {
    const auto id = first++;
    const auto bytes = request->rows.bytes();
    pending[id] = now;
    request->result = Expected<void>{};
    request->settled.cancel();
    if (broken || !parked.empty() || under_way_bytes + bytes > options.memory_bytes) {
      parked[id] = bytes;
    } else {
      start(id, bytes, std::move(request->rows));
    }
  }
}

void State::refuse(const std::vector<IncomingPtr>& batch, const Error& error) {
  for (const auto& request : batch) {
    request->result = std::unexpected(error);
    request->settled.cancel();
  }
}

void State::pump() {
  while (!parked.empty()) {
    if (broken && under_way > 0) return;
    const auto [id, bytes] = *parked.begin();
    if (under_way > 0 && under_way_bytes + bytes > options.memory_bytes) return;
    parked.erase(parked.begin());
    start(id, bytes, std::nullopt);
  }
}

void State::start(std::uint64_t id, std::uint64_t bytes, std::optional<EncodedRows> rows) {
  ++under_way;
  under_way_bytes += bytes;
  boost::asio::co_spawn(
      executor,
      [](std::shared_ptr<State> self, std::uint64_t record, std::uint64_t size,
         std::optional<EncodedRows> held) -> async::Task<> {
        co_await self->deliver(record, size, std::move(held));
      }(shared_from_this(), id, bytes, std::move(rows)),
      boost::asio::detached);
}

async::Task<> State::deliver(std::uint64_t id, std::uint64_t bytes, std::optional<EncodedRows> rows) {
  const auto self = shared_from_this();
  const auto sent = co_await send(id, std::move(rows));
  --under_way;
  under_way_bytes -= bytes;
  if (sent) {
    broken = false;
    backoff = {};
    ++figures.delivered;
    finished(id);
    pump();
  } else if (sent.error().code == ErrorCode::unavailable || sent.error().code == ErrorCode::overloaded) {
    ++figures.retried;
    park(id, bytes);
  } else if (co_await set_aside(id, sent.error().code == ErrorCode::malformed_body ? "refused_by_store" : "damaged")) {
    finished(id);
    pump();
  } else {
    // It stays in the journal until the next start: others do not wait for it.
    ++figures.set_aside["not_written"];
  }
  idle.cancel();
}

async::Task<Expected<void>> State::send(std::uint64_t id, std::optional<EncodedRows> rows) {
  if (!rows) {
    auto read = co_await disk.run([this, id]() -> Expected<std::optional<JournalRecord>> {
      auto bytes = journal->read(id);
      if (!bytes) return std::unexpected(std::move(bytes.error()));
      if (!*bytes) return std::optional<JournalRecord>();
      auto record = decode_journal_record(**bytes);
      if (!record) return std::unexpected(std::move(record.error()));
      return std::optional(std::move(*record));
    });
    if (!read) co_return std::unexpected(std::move(read.error()));
    if (!*read) co_return std::unexpected(std::move(read->error()));
    if (!**read) co_return Expected<void>{};
    rows = std::move((**read)->rows);
  }
  try {
    co_return co_await store.write(std::move(*rows));
  } catch (const std::exception&) {
    co_return fail(ErrorCode::unavailable, "The store could not be asked.");
  }
}

// Written whole before the journal forgets it.
async::Task<bool> State::set_aside(std::uint64_t id, std::string_view reason) {
  const auto since = pending[id];
  auto kept = co_await disk.run([this, id, since] {
    auto bytes = journal->read(id);
    const bool done = bytes && (!*bytes || rejected.keep(id, since, **bytes));
    return std::pair(done, rejected.evicted());
  });
  if (!kept || !kept->first) co_return false;
  ++figures.set_aside[reason];
  figures.evicted = kept->second;
  co_return true;
}

void State::park(std::uint64_t id, std::uint64_t bytes) {
  parked[id] = bytes;
  if (stopping) return;
  const bool first = !broken;
  broken = true;
  if (!first && under_way > 0) return;
  backoff = std::clamp(backoff * 2, options.first_retry, options.last_retry);
  boost::asio::co_spawn(
      executor,
      [](std::shared_ptr<State> self) -> async::Task<> { co_await self->wait_and_pump(); }(shared_from_this()),
      boost::asio::detached);
}

async::Task<> State::wait_and_pump() {
  const auto self = shared_from_this();
  retry.expires_after(backoff);
  const auto [error] = co_await retry.async_wait(async::as_result);
  if (!error && !stopping) pump();
}

void State::finished(std::uint64_t id) {
  pending.erase(id);
  figures.records = pending.size();
  removals.push_back(id);
  begin_commits();
}

JournaledWriter::JournaledWriter(async::Executor executor, BatchWriter& store, Clock clock, Options options)
    : state_(std::make_shared<State>(executor, store, std::move(clock), std::move(options))) {}

// What is under way ends by itself: the state lives as long as its coroutines.
JournaledWriter::~JournaledWriter() {
  state_->stopping = true;
  state_->retry.cancel();
}

async::Task<Expected<void>> JournaledWriter::open() {
  const auto state = state_;
  // The disk's thread never owns the state: it would have to wait for itself.
  auto opened = co_await state->disk.run([own = state.get()]() -> Expected<std::vector<journal::Waiting>> {
    auto made = journal::Journal::open(own->options.directory, {.capacity = own->options.capacity});
    if (!made) return std::unexpected(std::move(made.error()));
    own->journal.emplace(std::move(*made));
    return own->journal->waiting();
  });
  if (!opened) co_return std::unexpected(std::move(opened.error()));
  if (!*opened) co_return std::unexpected(std::move(opened->error()));
  const auto now = state->clock();
  for (const auto& record : **opened) {
    state->pending[record.id] = now;
    state->parked[record.id] = record.bytes;
  }
  state->closed = false;
  state->figures.records = state->pending.size();
  state->figures.bytes = state->journal->bytes();
  state->pump();
  co_return Expected<void>{};
}

async::Task<Expected<void>> JournaledWriter::write(EncodedRows rows) {
  const auto state = state_;
  if (state->closed || state->stopping) {
    co_return fail(ErrorCode::unavailable, state->stopping ? "The server is stopping." : "The server is starting.");
  }
  auto record = encode_journal_record(rows, state->clock());
  if (state->incoming_bytes + record.size() > state->options.waiting_bytes) {
    ++state->figures.refused_disk;
    co_return fail(ErrorCode::overloaded, "Too many rows wait for the ingest journal.");
  }
  ++state->figures.requests;
  state->incoming_bytes += record.size();
  const auto request = std::make_shared<Incoming>(state->executor, std::move(rows), std::move(record));
  state->incoming.push_back(request);
  state->begin_commits();
  // The disk answers: bounded by it, not by a clock, for what was begun may be durable at any moment.
  while (!request->result) co_await request->settled.async_wait(async::as_result);
  co_return *request->result;
}

async::Task<> JournaledWriter::stop() {
  const auto state = state_;
  state->stopping = true;
  if (state->closed) co_return;
  const auto until = std::chrono::steady_clock::now() + state->options.drain;
  const auto busy = [&state] { return state->committing || state->under_way > 0; };
  while (busy() && std::chrono::steady_clock::now() < until) {
    state->idle.expires_at(until);
    co_await state->idle.async_wait(async::as_result);
  }
  state->retry.cancel();
  state->closed = true;
}

const JournaledWriter::Figures& JournaledWriter::figures() const {
  return state_->figures;
}

std::chrono::milliseconds JournaledWriter::lag() const {
  if (state_->pending.empty()) return std::chrono::milliseconds(0);
  return std::max(std::chrono::milliseconds(0), state_->clock() - state_->pending.begin()->second);
}

}  // namespace cameleer::server
