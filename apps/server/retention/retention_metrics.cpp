#include "server/retention/retention_metrics.hpp"

namespace cameleer::server {

void add_retention_metrics(Metrics& metrics, const RetentionService& retention) {
  metrics.observe("cameleer_retention_waiting", "Lowered retentions whose telemetry is hidden and not yet deleted", {},
                  [&retention] { return static_cast<double>(retention.figures().waiting); });
  metrics.observe("cameleer_retention_behind", "1 while the store does not delete by the retention that holds", {},
                  [&retention] { return retention.warnings().empty() ? 0.0 : 1.0; });
  metrics.observe_total("cameleer_retention_changes_total", "Tables that were told to keep telemetry for another time",
                        {}, [&retention] { return static_cast<double>(retention.figures().changes); });
  metrics.observe_total("cameleer_retention_refusals_total", "Changes of retention that the store did not take", {},
                        [&retention] { return static_cast<double>(retention.figures().refusals); });
}

}  // namespace cameleer::server
