#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "server/ingest/journal_state.hpp"

namespace cameleer::server {
using State = JournaledWriter::State;

Expected<void> State::admit(std::uint64_t sender, std::uint64_t bytes) {
  const auto room = journal::room_of(bytes);
  if (!journal_room.could_take(room) || !waiting_room.could_take(bytes)) return refuse_oversized(bytes);
  if (!journal_room.take(sender, room)) {
    ++figures.refused_full;
    figures.last_refused = clock();
    return fail(ErrorCode::overloaded, "The ingest journal is full: the store has not taken its rows for too long.");
  }
  if (waiting_room.take(sender, bytes)) return {};
  journal_room.give_back(sender, room);
  ++figures.refused_waiting;
  return fail(ErrorCode::overloaded, "Too many rows wait for the ingest journal.");
}

async::Task<Expected<void>> State::write(EncodedRows rows) {
  const auto self = shared_from_this();
  const auto bytes = journal_record_size(rows);
  if (auto admitted = admit(rows.sender, bytes); !admitted) co_return admitted;
  ++figures.requests;
  const auto note = RecordNote::of(rows, clock());
  const auto request =
      std::make_shared<IncomingRequest>(executor, std::make_shared<const EncodedRows>(std::move(rows)), note, bytes);
  incoming.push(note.sender, request);
  company.cancel();
  begin_commits();
  // The disk answers: bounded by it, not by a clock, for what was begun may be durable at any moment.
  while (!request->result) co_await request->settled.async_wait(async::as_result);
  co_return *request->result;
}

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
    if (incoming.empty() && !stopping) {
      company.expires_after(options.removals_wait);
      co_await company.async_wait(async::as_result);
    }
    co_await commit_batch();
  }
  committing = false;
  idle.cancel();
}

std::vector<IncomingPtr> State::take_incoming(JournalDisk::Commit& commit) {
  std::vector<IncomingPtr> batch;
  std::uint64_t bytes = 0;
  while (!incoming.empty() && (batch.empty() || bytes + incoming.front()->bytes <= options.commit_bytes)) {
    auto next = incoming.pop();
    bytes += next->bytes;
    commit.added.push_back({.rows = next->rows, .note = next->note});
    batch.push_back(std::move(next));
  }
  return batch;
}

async::Task<> State::commit_batch() {
  auto commit = std::make_shared<JournalDisk::Commit>();
  const auto batch = take_incoming(*commit);
  auto leaving = std::exchange(removals, {});
  for (const auto& one : leaving) commit->removed.push_back(one.id);
  const auto begun = std::chrono::steady_clock::now();
  const auto ran = co_await on_disk([own = &files, commit] { return own->carry_out(*commit), true; });
  figures.commit_seconds.add(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
  if (!ran) commit->first = fail(ErrorCode::unavailable, "The ingest journal cannot be written.");
  for (const auto& request : batch) waiting_room.give_back(request->note.sender, request->bytes);
  removed(std::move(leaving), commit->removals_done);
  if (commit->first) {
    ++figures.commits;
    accepted(batch, *commit->first);
  } else {
    refuse(batch, commit->first.error());
  }
  if (ran) figures.bytes = commit->bytes;
}

// Without its removal a record is delivered again after the next start, which shows nothing twice.
void State::removed(std::vector<Removal> batch, bool done) {
  if (done) {
    for (const auto& [id, sender, room] : batch) journal_room.give_back(sender, room);
  } else if (!stopping) {
    removals.insert(removals.end(), batch.begin(), batch.end());
  }
}

void State::accepted(const std::vector<IncomingPtr>& batch, std::uint64_t first) {
  for (const auto& request : batch) {
    add(first++, request->bytes, request->note);
    request->rows.reset();
    request->result = Expected<void>{};
    request->settled.cancel();
  }
}

void State::refuse(const std::vector<IncomingPtr>& batch, const Error& error) {
  (error.code == ErrorCode::overloaded ? figures.refused_full : figures.refused_disk) += batch.size();
  if (!batch.empty()) figures.last_refused = clock();
  for (const auto& request : batch) {
    journal_room.give_back(request->note.sender, journal::room_of(request->bytes));
    request->result = std::unexpected(error);
    request->settled.cancel();
  }
}

}  // namespace cameleer::server
