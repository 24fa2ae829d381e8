#pragma once
#include <array>
#include <functional>

#include "server/rollups/rollup_store.hpp"

namespace cameleer::server {

/// From when on the recorded executions of an environment are all there. Asked for often, so it should answer from
/// memory.
using KeptSince = std::function<Instant(std::string_view data_name)>;

struct RollupOptions {
  std::string tenant = "default";
  std::string holder;  ///< a name that no other process of the tenant has
  /// `cameleer.server.rollups.delay-s`. A row counts as visible to all so long after its `inserted_at`, which an insert
  /// notes at its beginning: longer than any insert takes.
  std::chrono::milliseconds delay{90'000};
  std::chrono::milliseconds lease{60'000};  ///< longer than a statement may take, with time to spare
  std::chrono::minutes batch{10};           ///< most minutes that one statement replaces
  std::chrono::minutes stretch{60};         ///< most minutes that one step rolls for the first time
  bool rests = true;                        ///< after each statement for as long as it took
};

/// Keeps per-minute roll-ups of the recorded rows. One process of the tenant does it at a time. Step by step it finds
/// the minutes that have rows which arrived since the last step, computes them anew, and then moves on its position; a
/// step that was cut short at any point is done again, which changes nothing. The newest two minutes are left to
/// readers of the rows. I/O thread only; pool and engine outlive it.
class RollupService {
 public:
  RollupService(postgres::Pool& pool, clickhouse::Client& engine, Clock clock, KeptSince kept_since,
                RollupOptions options);

  enum class Step {
    others,  ///< another process holds the job
    done,    ///< nothing more to do now
    more     ///< the next step has work
  };
  /// One step. What fails is tried again by the next.
  async::Task<Expected<Step>> step();
  /// Steps until the coroutine is cancelled.
  async::Task<> run();
  /// Begins no further step and lets another process take the job.
  async::Task<> stop();

  /// As this process last read it; none: not read yet, or the job never began.
  [[nodiscard]] const std::optional<RollupPosition>& position() const { return position_; }
  [[nodiscard]] const KeptSince& kept_since() const { return kept_since_; }

  struct Figures {
    bool holds = false;                        ///< the job, as of the last step
    std::array<std::uint64_t, 2> minutes{};    ///< computed here, by kind
    std::uint64_t failures = 0;                ///< steps that did not end well
    std::chrono::milliseconds minutes_lag{};   ///< age of the first minute that is not rolled
    std::chrono::milliseconds arrivals_lag{};  ///< age of the first arrivals that are not looked at
  };
  [[nodiscard]] Figures figures() const;

 private:
  async::Task<Expected<Step>> take_step();
  async::Task<Expected<RollupPosition>> beginning(Instant taken_before);
  [[nodiscard]] RollupPosition aim(const RollupPosition& from, Instant now) const;
  async::Task<Expected<void>> roll(RollupKind kind, RollupStore::Span span);
  async::Task<Expected<void>> roll(RollupKind kind, std::string environment, std::vector<Instant> minutes);

  RollupStore store_;
  Clock clock_;
  KeptSince kept_since_;
  RollupOptions options_;
  RollupLease lease_;
  std::optional<RollupPosition> position_;
  std::chrono::minutes batch_;
  Figures figures_;
  bool replacing_ = false, stopping_ = false;
};

}  // namespace cameleer::server
