#include "server/rollups/rollup_metrics.hpp"

namespace cameleer::server {

void add_rollup_metrics(Metrics& metrics, const RollupService& rollups) {
  const auto seconds = [](std::chrono::milliseconds time) { return std::chrono::duration<double>(time).count(); };
  metrics.observe("cameleer_rollup_active", "1 while this process rolls rows up", {},
                  [&rollups] { return rollups.figures().holds ? 1.0 : 0.0; });
  metrics.observe("cameleer_rollup_lag_seconds", "Age of the first that is not rolled up yet", {{"of", "minutes"}},
                  [&rollups, seconds] { return seconds(rollups.figures().minutes_lag); });
  metrics.observe("cameleer_rollup_lag_seconds", "Age of the first that is not rolled up yet", {{"of", "arrivals"}},
                  [&rollups, seconds] { return seconds(rollups.figures().arrivals_lag); });
  for (const auto kind : kRollupKinds) {
    metrics.observe_total(
        "cameleer_rollup_minutes_total", "Minutes computed", {{"table", std::string(table_of(kind))}},
        [&rollups, kind] { return static_cast<double>(rollups.figures().minutes[static_cast<std::size_t>(kind)]); });
  }
  metrics.observe_total("cameleer_rollup_failures_total", "Steps that failed and were repeated", {},
                        [&rollups] { return static_cast<double>(rollups.figures().failures); });
}

}  // namespace cameleer::server
