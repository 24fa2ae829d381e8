#include "server/ingest/ingest_metrics.hpp"

namespace cameleer::server {
namespace {

// What became of the requests and elements of each kind of data.
void add_kind_metrics(Metrics& metrics, const IngestService& ingest) {
  using Counters = IngestService::KindCounters;
  for (const auto& info : data_kinds()) {
    const auto& counters = ingest.counters(info.kind);
    const std::string kind(info.name);
    metrics.observe_total("cameleer_ingest_accepted_total", "Elements stored and acknowledged", {{"kind", kind}},
                          [&counters] { return static_cast<double>(counters.accepted); });
    for (const auto& [reason, figure] :
         {std::pair{"too_old", &Counters::too_old}, std::pair{"in_future", &Counters::in_future}}) {
      metrics.observe_total("cameleer_ingest_rejected_total", "Elements refused alone",
                            {{"kind", kind}, {"reason", reason}},
                            [&counters, figure] { return static_cast<double>(counters.*figure); });
    }
    for (const auto code : {ErrorCode::malformed_body, ErrorCode::invalid_member, ErrorCode::overloaded,
                            ErrorCode::unavailable, ErrorCode::internal}) {
      metrics.observe_total("cameleer_ingest_refused_requests_total", "Data requests refused as a whole",
                            {{"kind", kind}, {"reason", std::string(name_of(code))}}, [&counters, code] {
                              const auto found = counters.refused.find(code);
                              return found == counters.refused.end() ? 0.0 : static_cast<double>(found->second);
                            });
    }
  }
}

void add_journal_metrics(Metrics& metrics, const JournaledWriter& journal) {
  const auto& figures = journal.figures();
  using Figures = JournaledWriter::Figures;
  const auto gauge = [&](const char* name, const char* help, std::uint64_t Figures::* figure) {
    metrics.observe(name, help, {}, [&figures, figure] { return static_cast<double>(figures.*figure); });
  };
  const auto total = [&](const char* name, const char* help, const prometheus::Labels& labels,
                         std::uint64_t Figures::* figure) {
    metrics.observe_total(name, help, labels, [&figures, figure] { return static_cast<double>(figures.*figure); });
  };
  gauge("cameleer_ingest_journal_records", "Acknowledged requests that the store has not taken yet", &Figures::records);
  gauge("cameleer_ingest_journal_bytes", "Room that they take in the journal", &Figures::bytes);
  metrics.observe("cameleer_ingest_journal_lag_seconds", "How long the oldest of them has waited in this process", {},
                  [&journal] { return std::chrono::duration<double>(journal.lag()).count(); });
  total("cameleer_ingest_journal_commits_total", "Durable commits of the journal", {}, &Figures::commits);
  total("cameleer_ingest_journal_retries_total", "Deliveries to the store that failed and were repeated", {},
        &Figures::retried);
  total("cameleer_ingest_journal_refused_total", "Requests refused for want of room or disk", {{"reason", "full"}},
        &Figures::refused_full);
  total("cameleer_ingest_journal_refused_total", "Requests refused for want of room or disk", {{"reason", "disk"}},
        &Figures::refused_disk);
  for (const auto* reason : {"refused_by_store", "damaged", "not_written"}) {
    metrics.observe_total("cameleer_ingest_set_aside_total",
                          "Acknowledged requests that the store will not take, kept in files", {{"reason", reason}},
                          [&figures, reason] {
                            const auto found = figures.set_aside.find(reason);
                            return found == figures.set_aside.end() ? 0.0 : static_cast<double>(found->second);
                          });
  }
  total("cameleer_ingest_set_aside_evicted_total", "Such files that made room for newer ones", {}, &Figures::evicted);
}

// What the store took and did not take.
void add_store_metrics(Metrics& metrics, const IngestService& service) {
  const auto& ingest = service.counters();
  metrics.observe_total("cameleer_ingest_requests_total", "Data requests handed to the store", {},
                        [&ingest] { return static_cast<double>(ingest.requests); });
  for (const auto table : ingest_tables()) {
    metrics.observe_total("cameleer_ingest_rows_total", "Rows stored", {{"table", std::string(table)}},
                          [&ingest, table] {
                            const auto found = ingest.rows.find(table);
                            return found == ingest.rows.end() ? 0.0 : static_cast<double>(found->second);
                          });
  }
  metrics.observe_total("cameleer_ingest_batches_total", "Inserts sent to the store", {},
                        [&ingest] { return static_cast<double>(ingest.batches); });
  metrics.observe_total("cameleer_ingest_refused_total", "Data requests whose content the store refused", {},
                        [&ingest] { return static_cast<double>(ingest.refused); });
  metrics.observe_total("cameleer_ingest_failed_total", "Data requests that could not be stored", {},
                        [&ingest] { return static_cast<double>(ingest.failed); });
}

}  // namespace

void add_ingest_metrics(Metrics& metrics, const IngestService& service) {
  add_store_metrics(metrics, service);
  add_kind_metrics(metrics, service);
  if (const auto* journal = service.journal()) add_journal_metrics(metrics, *journal);
}

}  // namespace cameleer::server
