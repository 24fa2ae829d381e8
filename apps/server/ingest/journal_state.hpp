#pragma once
#include <cameleer/async/worker_pool.hpp>
#include <deque>
#include <set>
#include <unordered_map>

#include "server/ingest/journal_disk.hpp"
#include "server/ingest/journaled_writer.hpp"
#include "server/ingest/shared_room.hpp"
#include "server/ingest/turn_queue.hpp"

// What the sources of JournaledWriter share; nobody else includes it.
namespace cameleer::server {

using SteadyTime = std::chrono::steady_clock::time_point;
using RecordIds = std::vector<std::uint64_t>;

/// A request on its way to the disk.
struct IncomingRequest {
  IncomingRequest(async::Executor executor, std::shared_ptr<const EncodedRows> encoded, RecordNote about,
                  std::uint64_t size)
      : rows(std::move(encoded)), note(about), bytes(size), settled(executor, SteadyTime::max()) {}
  std::shared_ptr<const EncodedRows> rows;  // the disk's thread reads them
  RecordNote note;
  std::uint64_t bytes;
  async::SteadyTimer settled;  // cancelled when there is a result
  std::optional<Expected<void>> result;
};
using IncomingPtr = std::shared_ptr<IncomingRequest>;

/// A record that the journal holds and the store does not.
struct PendingRecord {
  std::uint64_t bytes = 0;
  RecordNote note = {};
};

/// A record that failed alone while others passed: it travels alone.
struct SuspectRecord {
  std::uint64_t id = 0;
  unsigned attempts = 0, refusals = 0;
  std::uint64_t others = ~std::uint64_t{0};  // what its lane had delivered when a refusal was counted last
};

/// Records whose requests end with the same table: one insert at a time, apart from those of other tables.
struct DeliveryLane {
  explicit DeliveryLane(async::Executor executor) : wake(executor), retry(executor) {}
  std::set<std::uint64_t> waiting;
  std::uint64_t rows = 0, bytes = 0;  // of those
  bool running = false, retrying = false;
  SteadyTime allowed_at{};  // of the next insert that is not full; see `pause_of`
  // The store failed last: one record at a time finds out when it is back, each its turn.
  bool broken = false;
  std::chrono::milliseconds backoff{0};
  SteadyTime retry_at{};
  std::uint64_t tried = 0;                         // the record that was last
  std::map<std::uint64_t, unsigned> failed_alone;  // how badly
  std::size_t most_records = ~std::size_t{0};      // grows again with each success
  std::deque<SuspectRecord> suspects;
  std::uint64_t delivered = 0;
  async::SteadyTimer wake, retry;
};

struct JournaledWriter::State : std::enable_shared_from_this<State> {
  State(async::Executor executor_, BatchWriter& store_, Clock clock_, Options options_);

  async::Executor executor;
  BatchWriter& store;
  Clock clock;
  Options options;
  JournalDisk files;               // the disk's thread's alone
  async::WorkerPool disk{1, 256};  // never owns the state: it would have to wait for itself
  Figures figures;
  bool stopping = false, closed = true;
  async::SteadyTimer idle, adoption, company;

  /// What `work` gives on the disk's thread. Nothing: it could not be done.
  template <class Work>
  async::Task<std::optional<std::invoke_result_t<Work&>>> on_disk(Work work) {
    std::optional<std::invoke_result_t<Work&>> done;
    try {
      auto ran = co_await disk.run(std::move(work));
      if (ran) done.emplace(std::move(*ran));
    } catch (const std::exception&) {
      done.reset();  // no memory, say: as a disk that refuses
    }
    co_return done;
  }

  // To the disk (journal_commits.cpp).
  struct Removal {
    std::uint64_t id = 0, sender = 0, room = 0;
  };
  TurnQueue<IncomingPtr> incoming;
  std::vector<Removal> removals;
  SharedRoom waiting_room, journal_room;
  bool committing = false;
  async::Task<Expected<void>> write(EncodedRows rows);
  Expected<void> admit(std::uint64_t sender, std::uint64_t bytes);
  void begin_commits();
  async::Task<> run_commits();
  async::Task<> commit_batch();
  std::vector<IncomingPtr> take_incoming(JournalDisk::Commit& commit);
  void accepted(const std::vector<IncomingPtr>& batch, std::uint64_t first);
  void refuse(const std::vector<IncomingPtr>& batch, const Error& error);
  void removed(std::vector<Removal> batch, bool done);

  // To the store (journal_delivery.cpp, and journal_retries.cpp where it fails).
  enum class Fate : std::uint8_t { stored, refused, unclear, away };
  std::unordered_map<std::uint64_t, PendingRecord> pending;
  std::map<Instant, std::uint32_t> arrivals;  // of the pending, by 100 ms
  std::map<std::uint8_t, DeliveryLane> lanes;
  void add(std::uint64_t id, std::uint64_t bytes, RecordNote note);
  void put(DeliveryLane& lane, std::uint64_t id);
  void take(DeliveryLane& lane, std::uint64_t id);
  [[nodiscard]] bool is_full(const DeliveryLane& lane) const;
  [[nodiscard]] std::optional<std::chrono::milliseconds> pause_of(const DeliveryLane& lane) const;
  RecordIds take_batch(DeliveryLane& lane);
  void begin_lane(DeliveryLane& lane);
  async::Task<> run_lane(DeliveryLane* lane);
  async::Task<> deliver(DeliveryLane* lane, RecordIds ids);
  async::Task<Fate> attempt(DeliveryLane* lane, RecordIds& ids);
  std::set<std::uint64_t> unwritten;  // to be set aside, as soon as the disk lets it
  void finished(std::uint64_t id);
  async::Task<> set_aside(DeliveryLane* lane, SuspectRecord record, std::string_view reason);
  void failed(DeliveryLane& lane, const RecordIds& ids, Fate fate);
  void passed(DeliveryLane& lane, std::size_t records);
  void suspect(DeliveryLane& lane, SuspectRecord record);
  async::Task<> run_suspects(DeliveryLane* lane);
  async::Task<> try_suspect(DeliveryLane* lane, SuspectRecord record);

  // What dead processes left (journaled_writer.cpp).
  JournaledWriter::Observer on_unusable;
  std::set<std::filesystem::path> told_unusable;
  async::Task<> run_adoption();
  void note_unusable(const JournalDisk::Adopted& look);
  void know(const std::vector<JournalDisk::Known>& records);
  [[nodiscard]] bool busy() const;
  void wake_all();
};

}  // namespace cameleer::server
