#pragma once
#include <cameleer/clickhouse/client.hpp>
#include <cameleer/core/instant.hpp>
#include <cameleer/postgres/pool.hpp>
#include <string>

namespace cameleer::server {

/// Deletes the telemetry of environments that are gone. Nobody sees it any more: its name is not given again. What is
/// still on its way then, or while the store is down, is deleted later: each removed environment is looked after at
/// once, then ever more seldom, for 90 days. Several processes take turns by rows; deleting twice is harmless.
///
/// Rows are masked by lightweight deletes, whatever table carries an environment; merges take them off the disk. I/O
/// thread only; pool and engine outlive it.
class TelemetryRemoval {
 public:
  TelemetryRemoval(postgres::Pool& pool, clickhouse::Client& engine, Clock clock, std::string tenant);

  /// Looks after one environment that is due; false: none was. An engine that does not answer is asked again after 10
  /// s.
  async::Task<Expected<bool>> sweep();
  /// Sweeps while some are due, every two seconds, until the coroutine is cancelled.
  async::Task<> run();

  /// For metrics: removed environments whose telemetry was not yet found to be gone, as of the last sweep.
  [[nodiscard]] std::int64_t waiting() const { return waiting_; }

 private:
  struct Removed {
    std::string id, data_name;
    Instant removed_at;
  };
  async::Task<Expected<std::optional<Removed>>> claim();
  /// Whether there was nothing.
  async::Task<Expected<bool>> remove_rows(std::string data_name);
  async::Task<Expected<void>> settle(Removed removed, std::optional<bool> clear);

  postgres::Pool& pool_;
  clickhouse::Client& engine_;
  Clock clock_;
  std::string tenant_;
  std::int64_t waiting_ = 0;
};

}  // namespace cameleer::server
