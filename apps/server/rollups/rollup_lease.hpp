#pragma once
#include <cameleer/core/instant.hpp>
#include <cameleer/postgres/pool.hpp>
#include <optional>
#include <string>

namespace cameleer::server {

/// How far the job has come: rows that arrived before `taken_before`, by the store's clock, of minutes before
/// `minutes_before` are in the roll-ups. It only grows, so one that was read earlier is still true.
struct RollupPosition {
  Instant taken_before, minutes_before;
  friend bool operator==(const RollupPosition&, const RollupPosition&) = default;
};

/// The job as a row of PostgreSQL: one process at a time holds it, until a time that it moves on; when that has passed,
/// another one takes it. I/O thread only; the pool outlives it.
class RollupLease {
 public:
  /// `holder`: a name that no other process has.
  RollupLease(postgres::Pool& pool, Clock clock, std::string holder, std::chrono::milliseconds time);

  struct State {
    bool held = false;
    std::optional<RollupPosition> position;  ///< none: the job never began
  };
  /// Takes or renews it, unless another process holds it.
  async::Task<Expected<State>> take();
  /// Writes how far the job has come, and renews. False, and nothing written: the job is another's now.
  async::Task<Expected<bool>> move(RollupPosition position);
  /// Lets another process take it at once.
  async::Task<Expected<void>> release();
  /// Whether a third of its time has passed since it was renewed, by this process's clock.
  [[nodiscard]] bool wants_renewal() const { return clock_() >= renewed_at_ + time_ / 3; }

 private:
  postgres::Pool& pool_;
  Clock clock_;
  std::string holder_;
  std::chrono::milliseconds time_;
  Instant renewed_at_{};
};

}  // namespace cameleer::server
