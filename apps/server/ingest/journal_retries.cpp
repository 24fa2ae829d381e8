#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "server/ingest/journal_state.hpp"

namespace cameleer::server {
namespace {

constexpr std::size_t kMostRemembered = 64;  // records that failed alone
constexpr unsigned kSuspicious = 2;

}  // namespace

using State = JournaledWriter::State;

// Each record that waits has its turn to find out whether the store is back, for it may be the record that makes it
// fail.
void State::failed(DeliveryLane& lane, const RecordIds& ids, Fate fate) {
  ++figures.retried;
  for (const auto id : ids) put(lane, id);
  if (ids.size() == 1 && (lane.failed_alone.size() < kMostRemembered || lane.failed_alone.contains(ids.front()))) {
    lane.failed_alone[ids.front()] += fate == Fate::unclear ? kSuspicious : 1;
  }
  lane.broken = true;
  lane.most_records = 1;
  lane.backoff = std::clamp(lane.backoff * 2, options.first_retry, options.last_retry);
  lane.retry_at = std::chrono::steady_clock::now() + lane.backoff;
  if (!figures.store_failing_since) figures.store_failing_since = clock();
}

void State::passed(DeliveryLane& lane, std::size_t records) {
  lane.delivered += records;
  lane.most_records = lane.most_records > ~std::size_t{0} / 2 ? ~std::size_t{0} : lane.most_records * 2;
  if (!lane.broken) return;
  lane.broken = false;
  lane.backoff = {};
  std::erase_if(lane.failed_alone, [&](const auto& one) {
    const auto [id, badness] = one;
    if (!lane.waiting.contains(id)) return true;
    if (badness < kSuspicious) return false;
    take(lane, id);
    suspect(lane, {.id = id});
    return true;
  });
  if (std::ranges::none_of(lanes, [](const auto& one) { return one.second.broken; })) figures.store_failing_since = {};
}

void State::suspect(DeliveryLane& lane, SuspectRecord record) {
  lane.suspects.push_back(record);
  if (lane.retrying || closed) return;
  lane.retrying = true;
  boost::asio::co_spawn(
      executor,
      [](std::shared_ptr<State> self, DeliveryLane* own) -> async::Task<> { co_await self->run_suspects(own); }(
                                                             shared_from_this(), &lane),
      boost::asio::detached);
}

async::Task<> State::run_suspects(DeliveryLane* lane) {
  const auto self = shared_from_this();
  while (!closed && !stopping && !lane->suspects.empty()) {
    const auto attempts = std::min(lane->suspects.front().attempts, 10u);
    if (attempts > 0 || lane->broken) {
      lane->retry.expires_after(std::min(options.first_retry * (1u << attempts), options.last_retry));
      co_await lane->retry.async_wait(async::as_result);
      if (lane->broken) continue;
    }
    if (closed || stopping) break;
    const auto record = lane->suspects.front();
    lane->suspects.pop_front();
    co_await try_suspect(lane, record);
  }
  lane->retrying = false;
}

async::Task<> State::try_suspect(DeliveryLane* lane, SuspectRecord record) {
  RecordIds ids{record.id};
  const auto fate = co_await attempt(lane, ids);
  if (closed || ids.empty()) co_return;
  ++record.attempts;
  if (fate == Fate::stored) {
    ++figures.delivered;
    finished(record.id);
    co_return;
  }
  ++figures.retried;
  // It counts only when others passed since: or the store may refuse everything.
  if (fate == Fate::unclear && record.others != lane->delivered) {
    record.others = lane->delivered;
    ++record.refusals;
  }
  if (fate == Fate::refused || record.refusals >= options.most_refusals) {
    co_await set_aside(lane, record, "refused_by_store");
  } else {
    suspect(*lane, record);
  }
}

// Where it cannot be written, the record stays, and is tried again from time to time.
async::Task<> State::set_aside(DeliveryLane* lane, SuspectRecord record, std::string_view reason) {
  const auto arrived = pending.at(record.id).note.arrived;
  const auto kept = co_await on_disk([own = &files, id = record.id, arrived] {
    const bool written = own->set_aside(id, arrived).has_value();
    return std::tuple(written, own->evicted(), own->set_aside_files());
  });
  if (!kept || !std::get<0>(*kept)) {
    ++figures.set_aside["not_written"];
    unwritten.insert(record.id);
    figures.unwritten = unwritten.size();
    ++record.attempts;
    suspect(*lane, record);
    co_return;
  }
  std::tie(std::ignore, figures.evicted, figures.set_aside_files) = *kept;
  ++figures.set_aside[reason];
  figures.last_set_aside = clock();
  finished(record.id);
}

}  // namespace cameleer::server
