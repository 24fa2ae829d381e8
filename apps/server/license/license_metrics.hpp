#pragma once
#include "server/license/license_enforcer.hpp"
#include "server/license/license_service.hpp"
#include "server/telemetry/metrics.hpp"

namespace cameleer::server {

/// The four figures of a licence. Both references outlive the metrics.
void add_license_metrics(Metrics& metrics, const LicenseService& license, const LicenseEnforcer& caps);

}  // namespace cameleer::server
