#pragma once
#include "server/retention/retention_policy.hpp"

namespace cameleer::server {

/// An environment as the database has it.
struct RetainedEnvironment {
  std::string id;         ///< UUID
  std::string data_name;  ///< what its rows carry
  WishedDays wished = {};
  ByKind<std::optional<RetentionHistory>> known = {};  ///< as last written down
};

/// One history that is to be written down.
struct RetentionChange {
  std::string environment_id;
  TelemetryKind kind = TelemetryKind::execution;
  RetentionHistory history;
};

/// What is to be done at one moment.
struct RetentionPlan {
  std::vector<RetentionChange> changes = {};  ///< what the database does not know yet
  ByKind<RetentionClauses> clauses = {};      ///< what the tables are to delete by
  std::size_t waiting = 0;                    ///< histories whose telemetry is hidden and not yet deleted
};

/// Pure. A lowered retention reaches the clauses when `delay` is over, a raised one at once.
RetentionPlan plan_retention(const std::vector<RetainedEnvironment>& environments, const RetentionPolicy& policy,
                             Instant now, std::chrono::days delay);

}  // namespace cameleer::server
