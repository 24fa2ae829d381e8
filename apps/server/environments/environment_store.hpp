#pragma once
#include <cameleer/core/instant.hpp>
#include <cameleer/postgres/pool.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cameleer::server {

struct Environment {
  std::string id;  ///< UUID
  std::string slug;
  std::string display_name;
  /// What rows of its telemetry carry as environment: the slug, unless an environment that is gone had it.
  std::string data_name;
  /// Days that telemetry is kept; without a value as the server's settings say.
  std::optional<std::int64_t> execution_retention_days = {}, log_retention_days = {}, metric_retention_days = {};
  std::optional<std::int64_t> jar_retention_count = {};  ///< versions of an application; without a value all
  Instant created_at{};
};

/// Rows that went with an environment.
struct RemovedRows {
  std::int64_t api_keys = 0, agents = 0, agent_events = 0, agent_tokens = 0, commands = 0, configurations = 0;
};

class EnvironmentStore {
 public:
  explicit EnvironmentStore(postgres::Pool& pool) : pool_(pool) {}

  async::Task<Expected<std::vector<Environment>>> list();
  async::Task<Expected<std::optional<Environment>>> find(std::string slug);

  using TransactionPointer = std::unique_ptr<postgres::Transaction>;
  /// A transaction in which no other process makes or removes environments.
  async::Task<Expected<TransactionPointer>> begin_alone();
  async::Task<Expected<TransactionPointer>> begin();

  static async::Task<Expected<std::int64_t>> count(postgres::Transaction& transaction);
  /// Whether a removed environment had it.
  static async::Task<Expected<bool>> is_spent(postgres::Transaction& transaction, std::string data_name);
  /// False: the slug is taken.
  static async::Task<Expected<bool>> insert(postgres::Transaction& transaction, Environment environment);
  /// Its row, locked to the end.
  static async::Task<Expected<std::optional<Environment>>> lock(postgres::Transaction& transaction, std::string slug);
  static async::Task<Expected<void>> update(postgres::Transaction& transaction, Environment environment);
  /// The environment, locked before, and all that belongs to it; notes that its telemetry is to be deleted. May lose a
  /// deadlock against those who write many rows at once (`40P01`): then the transaction is to be repeated.
  static async::Task<postgres::Outcome<RemovedRows>> remove(postgres::Transaction& transaction, Environment environment,
                                                            Instant now);

 private:
  postgres::Pool& pool_;
};

}  // namespace cameleer::server
