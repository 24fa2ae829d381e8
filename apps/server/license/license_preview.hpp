#pragma once
#include <cameleer/core/license_state.hpp>
#include <vector>

#include "server/license/license_sources.hpp"
#include "server/license/license_store.hpp"

namespace cameleer::server {

/// What a token would do if it were installed.
struct LicensePreview {
  struct Shift {
    LicenseLimit limit{};
    std::int64_t from = 0, to = 0;
  };
  struct Excess {
    LicenseLimit limit{};
    std::int64_t current = 0, cap = 0;
  };
  LicenseStanding standing;
  std::vector<Shift> rises, falls;
  std::vector<Shift> shorter_retention;  ///< those of `falls` that hide telemetry
  std::vector<Excess> exceeded;          ///< more is there than the cap will be: nothing ends, nothing new begins
  LicenseSource shadowed_by = LicenseSource::none;  ///< none: it can be installed
};

LicensePreview preview_of(const LicenseStanding& now, LicenseStanding then, const LicenseCounts& counts);

}  // namespace cameleer::server
