#pragma once
#include <array>
#include <cameleer/core/license_state.hpp>
#include <map>
#include <optional>

#include "server/audit/audit_service.hpp"

namespace cameleer::server {

/// A creation that a cap did not allow.
struct CapRefusal {
  LicenseLimit limit{};
  std::int64_t current = 0, cap = 0;
  LicenseState state{};
  std::string message;
};

/// Counts refusals and keeps the audit log from being filled with them: the first of a limit and actor is written at
/// the next `write_counted`, further ones as one entry at the end of each minute, with their number in `detail.count`.
/// At most 1,000 limits and actors are told apart; of more the actors are not. A process that is killed loses those of
/// its last minute. I/O thread only.
class LicenseRefusals {
 public:
  LicenseRefusals(AuditService& audit, Clock clock) : audit_(audit), clock_(std::move(clock)) {}

  /// Waits for nothing: whoever was refused holds a transaction and a lock.
  void note(CapRefusal refusal, AuditActor actor);
  /// Writes first refusals and the minutes that are over; called every second. `all`: the present minute as well.
  async::Task<Expected<void>> write_counted(bool all = false);

  [[nodiscard]] std::uint64_t count(LicenseLimit limit) const { return counts_[static_cast<std::size_t>(limit)]; }
  /// Of that limit.
  [[nodiscard]] const std::optional<CapRefusal>& last(LicenseLimit limit) const {
    return last_[static_cast<std::size_t>(limit)];
  }

 private:
  struct Minute {
    AuditEntry entry;
    Instant began{};
    std::int64_t count = 0;  ///< not written yet
    bool first = true;       ///< nothing was written yet
  };
  async::Task<Expected<void>> write(std::string key, std::int64_t count);
  async::Task<Expected<void>> write_due(bool all);
  AuditService& audit_;
  Clock clock_;
  std::array<std::uint64_t, license_limit_count> counts_{};
  std::array<std::optional<CapRefusal>, license_limit_count> last_{};
  std::map<std::string, Minute> minutes_;
  bool writing_ = false;
};

}  // namespace cameleer::server
