#pragma once
#include "server/rollups/rollup_service.hpp"
#include "server/telemetry/metrics.hpp"

namespace cameleer::server {

/// How far the roll-ups are behind, and what was computed. `rollups` outlives `metrics`.
void add_rollup_metrics(Metrics& metrics, const RollupService& rollups);

}  // namespace cameleer::server
