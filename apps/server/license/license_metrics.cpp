#include "server/license/license_metrics.hpp"

namespace cameleer::server {

void add_license_metrics(Metrics& metrics, const LicenseService& license, const LicenseEnforcer& caps) {
  using enum LicenseState;
  for (const auto state : {ABSENT, ACTIVE, GRACE, EXPIRED, INVALID}) {
    metrics.observe("cameleer_license_state", "1 for the state that the licence is in",
                    {{"state", std::string(name_of(state))}},
                    [&license, state] { return license.view().standing->state == state ? 1.0 : 0.0; });
  }
  metrics.observe("cameleer_license_days_remaining", "Whole days until the licence expires; -1: there is none", {},
                  [&license] { return static_cast<double>(license.view().days_remaining); });
  metrics.observe("cameleer_license_last_validated_age_seconds", "Since the licence was last validated", {},
                  [&license] {
                    const auto at = license.view().validated_at;
                    return at ? std::chrono::duration<double>(license.now() - *at).count() : 0.0;
                  });
  for (const auto limit : license_limits()) {
    metrics.observe_total("cameleer_license_cap_rejections_total", "Creations that a cap did not allow",
                          {{"limit", std::string(name_of(limit))}},
                          [&caps, limit] { return static_cast<double>(caps.refusals().count(limit)); });
  }
}

}  // namespace cameleer::server
