#pragma once
#include <cameleer/core/license_state.hpp>
#include <memory>

namespace cameleer::server {

/// The licence that holds now, as an immutable snapshot: reading a limit takes no lock. Who needs several figures that
/// belong together keeps the snapshot. I/O thread only; set by LicenseService alone.
class LicenseGate {
 public:
  using Snapshot = std::shared_ptr<const LicenseStanding>;

  /// Until a licence is found the default tier holds.
  LicenseGate() : snapshot_(std::make_shared<const LicenseStanding>(standing_of(std::nullopt, Instant()))) {}

  [[nodiscard]] const Snapshot& snapshot() const { return snapshot_; }
  [[nodiscard]] std::int64_t limit(LicenseLimit limit) const { return snapshot_->limits[limit]; }
  void set(Snapshot snapshot) { snapshot_ = std::move(snapshot); }

 private:
  Snapshot snapshot_;
};

}  // namespace cameleer::server
