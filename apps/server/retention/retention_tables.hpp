#pragma once
#include <cameleer/clickhouse/client.hpp>

#include "server/retention/retention_rules.hpp"

namespace cameleer::server {

/// The tables that hold one kind of telemetry, and the clauses that they delete by.
class RetentionTables {
 public:
  explicit RetentionTables(clickhouse::Client& engine) : engine_(engine) {}

  struct Table {
    TelemetryKind kind;
    std::string_view name, time;  ///< `time`: the column whose age counts
  };
  static std::span<const Table> all();

  /// A table as the engine has it; without clauses where a change did not come to its end.
  struct Present {
    Table table;
    RetentionClauses clauses;
  };
  /// Those that exist.
  async::Task<clickhouse::Outcome<std::vector<Present>>> read();

  /// Has the table delete by `clauses` (some) from now on. Changes metadata alone, whatever the table holds; what is
  /// stored is told of a shorter retention in the background, and merges then remove rows.
  async::Task<clickhouse::Outcome<void>> change(Present table, RetentionClauses clauses);

 private:
  clickhouse::Client& engine_;
};

}  // namespace cameleer::server
