#pragma once
#include <cameleer/clickhouse/client.hpp>
#include <map>
#include <string>

#include "server/telemetry/metrics.hpp"

namespace cameleer::server {

/// Looks at the tenant's tables in the engine every 30 s: parts, rows and bytes of each, and merges under way. Many
/// parts tell of merges that cannot keep up. I/O thread only; the engine outlives it.
class StoreWatch {
 public:
  explicit StoreWatch(clickhouse::Client& engine) : engine_(engine) {}

  /// Adds a figure to `metrics` for each table that it finds. Looks for ever; spawn once. Both outlive it.
  async::Task<> run(Metrics& metrics);

 private:
  struct Table {
    std::int64_t parts = 0, rows = 0, bytes = 0;
  };
  async::Task<Expected<void>> look(Metrics& metrics);
  Table& table_named(const std::string& name, Metrics& metrics);

  static constexpr std::size_t kMostTables = 200;
  clickhouse::Client& engine_;
  std::map<std::string, Table> tables_;
  std::int64_t merges_ = 0;
};

}  // namespace cameleer::server
