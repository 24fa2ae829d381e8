#pragma once
#include <cameleer/core/instant.hpp>
#include <optional>

namespace cameleer::server {

/// Whether PostgreSQL can be reached, as whoever asks it every two seconds tells. While it cannot, people and agents
/// that are known stay known; after `grace` nobody may change anything, for nobody knows whether they still may. A
/// value an I/O thread owns.
class DatabaseWatch {
 public:
  explicit DatabaseWatch(Clock clock, std::chrono::milliseconds grace = std::chrono::seconds(60));

  void note(bool reached);
  [[nodiscard]] bool reached() const { return !lost_since_; }
  /// It has not been reached for `grace`, counted from the last time that it was.
  [[nodiscard]] bool outage() const;
  [[nodiscard]] std::chrono::milliseconds grace() const { return grace_; }
  [[nodiscard]] Instant now() const { return clock_(); }

 private:
  Clock clock_;
  std::chrono::milliseconds grace_;
  Instant reached_at_;
  std::optional<Instant> lost_since_;
};

}  // namespace cameleer::server
