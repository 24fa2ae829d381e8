#include "server/ingest/ingest_health.hpp"

#include <algorithm>

namespace cameleer::server {
namespace {

using Figures = JournaledWriter::Figures;
using namespace std::chrono_literals;

constexpr double kFilling = 0.8;
constexpr auto kJustNow = 60s;

// Files, and what could not even be written to one.
std::uint64_t set_aside(const Figures& figures) {
  return figures.set_aside_files + figures.unwritten;
}

}  // namespace

boost::json::object ingest_state(const Figures& figures, std::chrono::milliseconds lag) {
  boost::json::object object{{"store", figures.store_failing_since ? "failing" : "up"}};
  if (figures.store_failing_since) object["storeFailingSince"] = format_instant(*figures.store_failing_since);
  object["journal"] = {
      {"usedPercent", static_cast<std::uint64_t>(journal_share(figures) * 100)},
      {"records", figures.records},
      {"lagSeconds", static_cast<std::uint64_t>(std::chrono::floor<std::chrono::seconds>(lag).count())},
      {"refused", figures.refused_full + figures.refused_disk + figures.refused_waiting}};
  object["setAside"] = set_aside(figures);
  return object;
}

double journal_share(const Figures& figures) {
  if (figures.capacity == 0) return 0;
  return std::min(1.0, static_cast<double>(figures.bytes) / static_cast<double>(figures.capacity));
}

std::vector<HealthWarning> journal_warnings(const Figures& figures, Instant now) {
  std::vector<HealthWarning> warnings;
  if (figures.last_refused && now - *figures.last_refused < kJustNow) {
    warnings.push_back({.code = "journal_full",
                        .detail = "Data is refused: the ingest journal has no room or its disk refuses. Agents repeat.",
                        .since = figures.last_refused});
  } else if (journal_share(figures) >= kFilling) {
    warnings.push_back({.code = "journal_filling", .detail = "The ingest journal is full to 80 % or more."});
  }
  if (figures.store_failing_since) {
    warnings.push_back({.code = "store_refuses_rows",
                        .detail = "The store does not take rows. They wait in the ingest journal.",
                        .since = figures.store_failing_since});
  }
  if (set_aside(figures) > 0) {
    warnings.push_back({.code = "rows_set_aside",
                        .detail = "Requests that were acknowledged could not be stored and are kept as files.",
                        .since = figures.last_set_aside});
  }
  if (figures.unusable_journals > 0) {
    warnings.push_back({.code = "journal_unusable",
                        .detail = "A journal that a dead process left cannot be read. What it acknowledged last may be "
                                  "in there, and does not show.",
                        .since = figures.unusable_since});
  }
  return warnings;
}

void add_ingest_health(Health& health, const IngestService& service, Clock clock) {
  const auto* journal = service.journal();
  if (journal == nullptr) return;
  health.show("ingest", [journal] { return ingest_state(journal->figures(), journal->lag()); });
  health.warn_of([journal, clock = std::move(clock)] { return journal_warnings(journal->figures(), clock()); });
}

}  // namespace cameleer::server
