#include "server/ingest/journaled_writer.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "server/ingest/journal_state.hpp"

namespace cameleer::server {

using State = JournaledWriter::State;

State::State(async::Executor executor_, BatchWriter& store_, Clock clock_, Options options_)
    : executor(executor_),
      store(store_),
      clock(std::move(clock_)),
      options(std::move(options_)),
      files(options.directory, options.tenant, options.capacity, options.rejected),
      idle(executor_),
      adoption(executor_),
      company(executor_),
      waiting_room(options.waiting_bytes),
      journal_room(options.capacity) {
  figures.capacity = options.capacity;
}

void State::know(const std::vector<JournalDisk::Known>& records) {
  const auto now = clock();
  for (const auto& record : records) {
    auto note = record.note;
    if (note.arrived == Instant{}) note.arrived = now;  // nobody noted it
    journal_room.hold(note.sender, journal::room_of(record.bytes));
    add(record.id, record.bytes, note);
  }
}

void State::note_unusable(const JournalDisk::Adopted& look) {
  for (const auto& [journal, reason] : look.unusable) {
    if (told_unusable.insert(journal).second && on_unusable) on_unusable(journal, reason);
  }
  if (!look.whole) return;
  figures.unusable_journals = look.unusable.size();
  if (look.unusable.empty()) {
    figures.unusable_since.reset();
  } else if (!figures.unusable_since) {
    figures.unusable_since = clock();
  }
}

async::Task<> State::run_adoption() {
  const auto self = shared_from_this();
  while (!stopping) {
    const auto ran = co_await on_disk([own = &files] { return std::pair(own->adopt(), own->bytes()); });
    if (closed) co_return;
    if (ran) note_unusable(ran->first);
    if (ran && !ran->first.records.empty()) {
      figures.adopted += ran->first.records.size();
      figures.bytes = ran->second;
      know(ran->first.records);
    } else {
      adoption.expires_after(options.adopt_every);
      co_await adoption.async_wait(async::as_result);
    }
  }
}

bool State::busy() const {
  return committing || std::ranges::any_of(lanes, [](const auto& one) { return one.second.running; });
}

void State::wake_all() {
  adoption.cancel();
  company.cancel();
  for (auto& [table, lane] : lanes) {
    lane.wake.cancel();
    lane.retry.cancel();
  }
}

JournaledWriter::JournaledWriter(async::Executor executor, BatchWriter& store, Clock clock, Options options)
    : state_(std::make_shared<State>(executor, store, std::move(clock), std::move(options))) {}

void JournaledWriter::on_unusable(Observer observer) {
  state_->on_unusable = std::move(observer);
}

// What is under way ends by itself: the state lives as long as its coroutines.
JournaledWriter::~JournaledWriter() {
  state_->stopping = state_->closed = true;
  state_->wake_all();
}

bool JournaledWriter::exists(const Options& options) {
  return JournalDisk(options.directory, options.tenant, options.capacity, options.rejected).exists();
}

async::Task<Expected<void>> JournaledWriter::open() {
  const auto state = state_;
  struct Found {
    Expected<std::vector<JournalDisk::Known>> waiting;
    std::uint64_t bytes = 0, set_aside = 0;
  };
  auto opened = co_await state->disk.run([own = &state->files] {
    Found found{.waiting = own->open()};
    if (found.waiting) found.bytes = own->bytes();
    found.set_aside = own->set_aside_files();
    return found;
  });
  if (!opened) co_return std::unexpected(std::move(opened.error()));
  if (!opened->waiting) co_return std::unexpected(std::move(opened->waiting.error()));
  state->closed = false;
  state->figures.bytes = opened->bytes;
  state->figures.set_aside_files = opened->set_aside;
  state->know(*opened->waiting);
  boost::asio::co_spawn(
      state->executor, [](std::shared_ptr<State> self) -> async::Task<> { co_await self->run_adoption(); }(state),
      boost::asio::detached);
  co_return Expected<void>{};
}

async::Task<Expected<void>> JournaledWriter::write(EncodedRows rows) {
  const auto state = state_;
  if (state->closed || state->stopping) {
    co_return fail(ErrorCode::unavailable, state->stopping ? "The server is stopping." : "The server is starting.");
  }
  co_return co_await state->write(std::move(rows));
}

async::Task<> JournaledWriter::stop() {
  const auto state = state_;
  state->stopping = true;
  if (state->closed) co_return;
  state->wake_all();
  const auto until = std::chrono::steady_clock::now() + state->options.drain;
  while (state->busy() && std::chrono::steady_clock::now() < until) {
    state->idle.expires_at(until);
    co_await state->idle.async_wait(async::as_result);
  }
  state->closed = true;
  state->wake_all();
}

const JournaledWriter::Figures& JournaledWriter::figures() const {
  return state_->figures;
}

std::chrono::milliseconds JournaledWriter::lag() const {
  if (state_->arrivals.empty()) return std::chrono::milliseconds(0);
  return std::max(std::chrono::milliseconds(0), state_->clock() - state_->arrivals.begin()->first);
}

}  // namespace cameleer::server
