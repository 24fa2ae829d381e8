#pragma once
#include "server/license/license_gate.hpp"
#include "server/retention/retention_rules.hpp"

namespace cameleer::server {

/// What holds now, with the licence that is in force at the moment of asking. I/O thread only; the gate outlives it.
class RetentionPolicy {
 public:
  /// `setting`: for environments that ask for nothing of their own.
  RetentionPolicy(const LicenseGate& gate, std::chrono::days setting) : gate_(gate), setting_(setting) {}

  [[nodiscard]] ByKind<EffectiveDays> effective(const WishedDays& wished) const {
    ByKind<EffectiveDays> days;
    for (const auto kind : telemetry_kinds) {
      days[kind] = effective_days(wished[kind], setting_, gate_.limit(cap_of(kind)));
    }
    return days;
  }

 private:
  const LicenseGate& gate_;
  std::chrono::days setting_;
};

}  // namespace cameleer::server
