#include "server/ingest/ingest_metrics.hpp"

#include <algorithm>
#include <array>

#include "server/ingest/ingest_health.hpp"

namespace cameleer::server {
namespace {

constexpr std::array kRefusals{ErrorCode::malformed_body, ErrorCode::invalid_member, ErrorCode::overloaded,
                               ErrorCode::unavailable, ErrorCode::internal};

// By reason; none is left out, for the rare ones are counted together.
void add_refusals(Metrics& metrics, const IngestService::KindCounters& counters, const std::string& kind) {
  constexpr auto kName = "cameleer_ingest_refused_requests_total";
  constexpr auto kHelp = "Data requests refused as a whole";
  for (const auto code : kRefusals) {
    metrics.observe_total(kName, kHelp, {{"kind", kind}, {"reason", std::string(name_of(code))}}, [&counters, code] {
      const auto found = counters.refused.find(code);
      return found == counters.refused.end() ? 0.0 : static_cast<double>(found->second);
    });
  }
  metrics.observe_total(kName, kHelp, {{"kind", kind}, {"reason", "other"}}, [&counters] {
    double others = 0;
    for (const auto& [code, count] : counters.refused) {
      if (std::ranges::find(kRefusals, code) == kRefusals.end()) others += static_cast<double>(count);
    }
    return others;
  });
}

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
    metrics.observe_total("cameleer_ingest_flagged_total", "Elements taken whose time lies ahead of this server's",
                          {{"kind", kind}}, [&counters] { return static_cast<double>(counters.flagged); });
    add_refusals(metrics, counters, kind);
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
  gauge("cameleer_ingest_journal_capacity_bytes", "All the room there is", &Figures::capacity);
  metrics.observe("cameleer_ingest_journal_used_ratio", "Share of the journal's room that is taken, 0 to 1", {},
                  [&figures] { return journal_share(figures); });
  metrics.observe("cameleer_ingest_journal_lag_seconds", "How long the oldest of them has waited since it arrived", {},
                  [&journal] { return std::chrono::duration<double>(journal.lag()).count(); });
  metrics.observe_distribution("cameleer_ingest_lag_seconds", "From the arrival of a request until the store had it",
                               {}, figures.lag_seconds);
  metrics.observe_distribution("cameleer_ingest_journal_commit_seconds", "Durable commits of the journal", {},
                               figures.commit_seconds);
  metrics.observe("cameleer_ingest_store_failing", "1 while the store does not take rows from the journal", {},
                  [&figures] { return figures.store_failing_since ? 1.0 : 0.0; });
  total("cameleer_ingest_journal_adopted_total", "Requests taken over from the journal of a process that died", {},
        &Figures::adopted);
  gauge("cameleer_ingest_journal_unusable", "Journals of processes that died which cannot be read, at this moment",
        &Figures::unusable_journals);
  total("cameleer_ingest_journal_commits_total", "Durable commits of the journal", {}, &Figures::commits);
  total("cameleer_ingest_journal_retries_total", "Deliveries to the store that failed and were repeated", {},
        &Figures::retried);
  for (const auto& [reason, figure] :
       {std::pair{"full", &Figures::refused_full}, std::pair{"disk", &Figures::refused_disk},
        std::pair{"waiting", &Figures::refused_waiting}}) {
    total("cameleer_ingest_journal_refused_total", "Requests refused for want of room or disk", {{"reason", reason}},
          figure);
  }
  for (const auto* reason : {"refused_by_store", "damaged", "not_written"}) {
    metrics.observe_total("cameleer_ingest_set_aside_total",
                          "Acknowledged requests that the store will not take, kept in files", {{"reason", reason}},
                          [&figures, reason] {
                            const auto found = figures.set_aside.find(reason);
                            return found == figures.set_aside.end() ? 0.0 : static_cast<double>(found->second);
                          });
  }
  gauge("cameleer_ingest_set_aside_files", "Files of requests that the store will not take, at this moment",
        &Figures::set_aside_files);
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
  metrics.observe_total("cameleer_ingest_split_batches_total", "Inserts refused for their content and tried in halves",
                        {}, [&ingest] { return static_cast<double>(ingest.split_batches); });
  metrics.observe_distribution("cameleer_ingest_batch_rows", "Rows of an insert", {}, ingest.batch_rows);
  metrics.observe_distribution("cameleer_ingest_batch_bytes", "Bytes of an insert, before compression", {},
                               ingest.batch_bytes);
  metrics.observe_distribution("cameleer_ingest_insert_seconds", "How long an insert took, whatever came of it", {},
                               ingest.insert_seconds);
  metrics.observe_total("cameleer_ingest_store_refused_total", "Requests that did not wait for the store to the end",
                        {{"reason", "waiting"}}, [&ingest] { return static_cast<double>(ingest.refused_waiting); });
  metrics.observe_total("cameleer_ingest_store_refused_total", "Requests that did not wait for the store to the end",
                        {{"reason", "timed_out"}}, [&ingest] { return static_cast<double>(ingest.timed_out); });
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
