#include "server/retention/retention_plan.hpp"

namespace cameleer::server {

RetentionPlan plan_retention(const std::vector<RetainedEnvironment>& environments, const RetentionPolicy& policy,
                             Instant now, std::chrono::days delay) {
  RetentionPlan plan;
  for (const auto& environment : environments) {
    const auto effective = policy.effective(environment.wished);
    for (const auto kind : telemetry_kinds) {
      const auto& known = environment.known[kind];
      auto history = advance(known, effective[kind].days, now, delay);
      plan.clauses[kind].emplace(environment.data_name, history.stored_days());
      if (!history.earlier.empty()) ++plan.waiting;
      if (history != known) {
        plan.changes.push_back({.environment_id = environment.id, .kind = kind, .history = std::move(history)});
      }
    }
  }
  return plan;
}

}  // namespace cameleer::server
