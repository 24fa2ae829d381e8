#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "server/ingest/journal_state.hpp"

namespace cameleer::server {
namespace {

Instant slot_of(Instant arrived) {
  return std::chrono::floor<std::chrono::duration<std::int64_t, std::deci>>(arrived);
}

}  // namespace

using State = JournaledWriter::State;

void State::add(std::uint64_t id, std::uint64_t bytes, RecordNote note) {
  pending[id] = {.bytes = bytes, .note = note};
  ++arrivals[slot_of(note.arrived)];
  figures.records = pending.size();
  auto& lane = lanes.try_emplace(note.table, executor).first->second;
  put(lane, id);
  begin_lane(lane);
  if (is_full(lane) && !lane.broken) lane.wake.cancel();
}

void State::put(DeliveryLane& lane, std::uint64_t id) {
  const auto& record = pending.at(id);
  lane.waiting.insert(id);
  lane.rows += record.note.rows;
  lane.bytes += record.bytes;
}

void State::take(DeliveryLane& lane, std::uint64_t id) {
  const auto& record = pending.at(id);
  lane.waiting.erase(id);
  lane.rows -= record.note.rows;
  lane.bytes -= record.bytes;
}

bool State::is_full(const DeliveryLane& lane) const {
  return lane.rows >= store.options().batch_rows || lane.bytes >= store.options().batch_bytes;
}

// Nothing: not in this life. An insert of few rows costs the engine nearly what one of many does, and leaves a part to
// merge; so there are few of them: some at once, then one in each interval (a leaky bucket).
std::optional<std::chrono::milliseconds> State::pause_of(const DeliveryLane& lane) const {
  const auto until = [](SteadyTime then) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(then - std::chrono::steady_clock::now());
    return std::max(left, std::chrono::milliseconds(0));
  };
  if (stopping && lane.broken) return std::nullopt;
  if (lane.broken) return until(lane.retry_at);
  if (stopping || is_full(lane) || lane.waiting.size() > lane.most_records) return std::chrono::milliseconds(0);
  return until(lane.allowed_at - options.insert_interval * (options.inserts_at_once - 1));
}

RecordIds State::take_batch(DeliveryLane& lane) {
  RecordIds ids;
  auto next = lane.waiting.begin();
  if (lane.broken) {
    next = lane.waiting.upper_bound(lane.tried);
    if (next == lane.waiting.end()) next = lane.waiting.begin();
    lane.tried = *next;
  } else {
    const auto now = std::chrono::steady_clock::now();
    lane.allowed_at = std::min(std::max(lane.allowed_at, now) + options.insert_interval,
                               now + options.insert_interval * options.inserts_at_once);
  }
  const auto most = lane.broken ? 1 : lane.most_records;
  std::uint64_t rows = 0, bytes = 0;
  for (; next != lane.waiting.end() && ids.size() < most; ++next) {
    const auto& record = pending.at(*next);
    rows += record.note.rows;
    bytes += record.bytes;
    if (!ids.empty() && (rows > store.options().batch_rows || bytes > store.options().batch_bytes)) break;
    ids.push_back(*next);
  }
  for (const auto id : ids) take(lane, id);
  return ids;
}

void State::begin_lane(DeliveryLane& lane) {
  if (lane.running || closed) return;
  lane.running = true;
  boost::asio::co_spawn(
      executor,
      [](std::shared_ptr<State> self, DeliveryLane* own) -> async::Task<> { co_await self->run_lane(own); }(
                                                             shared_from_this(), &lane),
      boost::asio::detached);
}

async::Task<> State::run_lane(DeliveryLane* lane) {
  const auto self = shared_from_this();
  co_await boost::asio::post(executor, async::use_task);
  while (!closed && !lane->waiting.empty()) {
    const auto pause = pause_of(*lane);
    if (!pause) break;
    if (pause->count() > 0) {
      lane->wake.expires_after(*pause);
      co_await lane->wake.async_wait(async::as_result);
    } else {
      co_await deliver(lane, take_batch(*lane));
    }
  }
  lane->running = false;
  idle.cancel();
}

async::Task<> State::deliver(DeliveryLane* lane, RecordIds ids) {
  const auto fate = co_await attempt(lane, ids);
  if (closed || ids.empty()) co_return;
  if (fate == Fate::stored) {
    for (const auto id : ids) finished(id);
    figures.delivered += ids.size();
    passed(*lane, ids.size());
  } else if (fate != Fate::refused) {
    failed(*lane, ids, fate);
  } else if (ids.size() == 1) {
    co_await set_aside(lane, {.id = ids.front()}, "refused_by_store");
  } else {
    const auto middle = ids.begin() + static_cast<std::ptrdiff_t>(ids.size() / 2);
    co_await deliver(lane, RecordIds(ids.begin(), middle));
    co_await deliver(lane, RecordIds(middle, ids.end()));
  }
}

// Those that are damaged leave `ids` and are set aside.
async::Task<State::Fate> State::attempt(DeliveryLane* lane, RecordIds& ids) {
  auto joined = co_await on_disk([own = &files, ids] { return own->join(ids); });
  if (closed || !joined || !*joined) co_return Fate::away;
  auto& [rows, damaged] = **joined;
  for (const auto id : damaged) {
    std::erase(ids, id);
    co_await set_aside(lane, {.id = id}, "damaged");
  }
  if (closed) co_return Fate::away;
  if (rows.parts.empty()) co_return Fate::stored;
  rows.alone = true;  // it was joined already
  try {
    const auto written = co_await store.write(std::move(rows));
    if (written) co_return Fate::stored;
    if (written.error().code == ErrorCode::malformed_body) co_return Fate::refused;
    co_return written.error().code == ErrorCode::upstream_error ? Fate::unclear : Fate::away;
  } catch (const std::exception&) {
    co_return Fate::away;
  }
}

void State::finished(std::uint64_t id) {
  const auto found = pending.find(id);
  if (found == pending.end()) return;
  const auto& [bytes, note] = found->second;
  const auto slot = arrivals.find(slot_of(note.arrived));
  if (slot != arrivals.end() && --slot->second == 0) arrivals.erase(slot);
  figures.lag_seconds.add(std::chrono::duration<double>(clock() - note.arrived).count());
  removals.push_back({.id = id, .sender = note.sender, .room = journal::room_of(bytes)});
  pending.erase(found);
  unwritten.erase(id);
  figures.unwritten = unwritten.size();
  figures.records = pending.size();
  begin_commits();
}

}  // namespace cameleer::server
