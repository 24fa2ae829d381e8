#pragma once
#include "server/ingest/ingest_service.hpp"
#include "server/telemetry/metrics.hpp"

namespace cameleer::server {

/// Figures of ingest: requests, rows, batches, what was refused, and the journal. `service` outlives `metrics`.
void add_ingest_metrics(Metrics& metrics, const IngestService& service);

}  // namespace cameleer::server
