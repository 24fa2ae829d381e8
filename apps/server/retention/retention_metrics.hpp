#pragma once
#include "server/retention/retention_service.hpp"
#include "server/telemetry/metrics.hpp"

namespace cameleer::server {

/// The figures of retention. Both outlive the metrics.
void add_retention_metrics(Metrics& metrics, const RetentionService& retention);

}  // namespace cameleer::server
