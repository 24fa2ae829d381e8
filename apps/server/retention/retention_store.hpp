#pragma once
#include <cameleer/postgres/pool.hpp>

#include "server/retention/retention_plan.hpp"

namespace cameleer::server {

/// What all processes of the tenant must agree on. Rows of `retention_days` and `retention_turn`.
class RetentionStore {
 public:
  explicit RetentionStore(postgres::Pool& pool) : pool_(pool) {}

  async::Task<Expected<std::vector<RetainedEnvironment>>> read();
  /// Replaces what was known; of environments that are gone meanwhile nothing.
  async::Task<Expected<void>> put(std::vector<RetentionChange> changes);

  /// False: another process has it. Whoever took it and died is replaced after `until`.
  async::Task<Expected<bool>> take_turn(Instant now, Instant until);
  /// Of a turn that was taken until then.
  async::Task<Expected<void>> end_turn(Instant until);

 private:
  postgres::Pool& pool_;
};

}  // namespace cameleer::server
