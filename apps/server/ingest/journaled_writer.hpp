#pragma once
#include <cameleer/core/instant.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "server/ingest/batch_writer.hpp"

namespace cameleer::server {

/// Journal first, store later: rows are acknowledged when the journal has them on disk. From there they go to the store
/// until it has taken them, through its outages and ours; as rows are idempotent, a second delivery shows nothing
/// twice. What the store refuses for good is set aside in a file, and nothing waits behind it. Agents take turns and
/// share what room there is. What a dead process left in a journal beside ours is taken over. I/O thread only; the disk
/// has a thread of its own.
class JournaledWriter {
 public:
  struct Options {
    std::filesystem::path directory = {};         ///< of the journals, one for each process that shares it
    std::string tenant = "default";               ///< only its journals are looked at
    std::filesystem::path rejected = {};          ///< where refused requests are set aside
    std::uint64_t capacity = 4ULL << 30;          ///< bytes; a full journal refuses with `overloaded`
    std::size_t commit_bytes = 16u << 20;         ///< most bytes that requests share a commit with
    std::size_t waiting_bytes = 64u << 20;        ///< more that wait for the disk are refused with `overloaded`
    std::chrono::milliseconds removals_wait{50};  ///< for a request whose commit they ride with; and after a refusal
    /// An insert for each table is sent at once when it is full, or when there were few lately: so many, and one more
    /// after each interval. Under load rows wait for company up to an interval.
    std::chrono::milliseconds insert_interval{1'000};
    unsigned inserts_at_once = 8;                                   ///< at least one
    std::chrono::milliseconds first_retry{200}, last_retry{5'000};  ///< of a store that does not answer
    unsigned most_refusals = 5;  ///< of a request alone, for an unclear reason, until it is set aside
    std::chrono::milliseconds adopt_every{10'000};
    std::chrono::milliseconds drain{10'000};  ///< for the store, at the end
  };
  struct Figures {
    std::uint64_t records = 0, bytes = 0, capacity = 0;  ///< waiting for the store, and room for them
    std::uint64_t commits = 0, requests = 0;
    std::uint64_t delivered = 0, retried = 0, adopted = 0;
    std::uint64_t refused_full = 0, refused_disk = 0, refused_waiting = 0;  ///< requests that were not acknowledged
    std::map<std::string_view, std::uint64_t> set_aside = {};               ///< acknowledged requests, by reason
    std::uint64_t unwritten = 0;                     ///< those that no file could be written for so far
    std::uint64_t evicted = 0, set_aside_files = 0;  ///< files that made room for newer ones; those there now
    std::uint64_t unusable_journals = 0;             ///< of dead processes, with what nobody could take over
    std::optional<Instant> last_refused = {}, last_set_aside = {}, store_failing_since = {}, unusable_since = {};
    Distribution commit_seconds = Distribution::of_seconds();
    Distribution lag_seconds = Distribution::of_seconds();  ///< from the arrival to the store
  };

  /// `store` outlives it.
  JournaledWriter(async::Executor executor, BatchWriter& store, Clock clock, Options options);
  ~JournaledWriter();
  JournaledWriter(const JournaledWriter&) = delete;
  JournaledWriter& operator=(const JournaledWriter&) = delete;

  /// Hears of each journal of a dead process that cannot be taken over, once in our life: for the log. Before `open`.
  using Observer = std::function<void(const std::filesystem::path& journal, std::string_view reason)>;
  void on_unusable(Observer observer);

  /// Whether a process of the tenant has a journal in that directory, or left one.
  static bool exists(const Options& options);
  /// Opens the journal and begins to deliver what is in it. Nothing is taken before.
  async::Task<Expected<void>> open();

  /// Returns when the rows are on disk. `overloaded`, `unavailable`: not acknowledged, try again later;
  /// `body_too_large`: with fewer elements.
  async::Task<Expected<void>> write(EncodedRows rows);

  /// Refuses new rows, commits the present ones and gives the store `drain` to take what waits; the rest stays in the
  /// journal.
  async::Task<> stop();

  [[nodiscard]] const Figures& figures() const;
  /// How long the oldest record has waited for the store since it arrived, to 100 ms; zero when none does.
  [[nodiscard]] std::chrono::milliseconds lag() const;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace cameleer::server
