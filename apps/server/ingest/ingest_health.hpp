#pragma once
#include "server/ingest/ingest_service.hpp"
#include "server/telemetry/health.hpp"

namespace cameleer::server {

/// Shows the state of ingest in readiness, as the member `ingest`, and warns of what an operator should look at:
/// `journal_filling`, `journal_full`, `store_refuses_rows`, `rows_set_aside`,
/// `journal_unusable`. `service` outlives `health`.
void add_ingest_health(Health& health, const IngestService& service, Clock clock);

/// The share of the journal's room that is taken, 0 to 1.
double journal_share(const JournaledWriter::Figures& figures);

/// The member `ingest`; `lag` as `JournaledWriter::lag`.
boost::json::object ingest_state(const JournaledWriter::Figures& figures, std::chrono::milliseconds lag);

/// What is to be said of a journal at this moment.
std::vector<HealthWarning> journal_warnings(const JournaledWriter::Figures& figures, Instant now);

}  // namespace cameleer::server
