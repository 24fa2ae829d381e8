#pragma once
#include <cameleer/core/instant.hpp>

#include "server/telemetry/metrics.hpp"

namespace cameleer::server {

/// What the process costs, by the names that Prometheus' own clients use: `process_cpu_seconds_total`,
/// `process_resident_memory_bytes`, `process_open_fds`, `process_max_fds`, `process_start_time_seconds`.
void add_process_metrics(Metrics& metrics, Instant started);

}  // namespace cameleer::server
