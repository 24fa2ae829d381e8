#pragma once
#include <cameleer/clickhouse/client.hpp>
#include <span>
#include <string>
#include <string_view>

#include "server/rollups/minute_ranges.hpp"

namespace cameleer::server {

/// What is rolled up: executions by route, and processors of executions by processor.
enum class RollupKind { routes, processors };
inline constexpr RollupKind kRollupKinds[] = {RollupKind::routes, RollupKind::processors};

/// `route_minutes`, `processor_minutes`.
std::string_view table_of(RollupKind kind);

/// Minutes, with their environments, that are to be rolled: those that were rolled and have rows that arrived since,
/// and those that are rolled for the first time. Parameters: tenant, rolled_to, roll_to, taken_from, taken_to,
/// after_environment, after_minute, most. Columns: environment, at (seconds). Looks at every environment.
std::string due_sql(RollupKind kind);

/// Computes the minutes of [from, to) anew and puts them in the place of what was there. Parameters: tenant,
/// environment, from, to.
std::string replace_sql(RollupKind kind);

/// Minutes of [from, to) with rows that arrived at `taken_before` or later. Parameters: tenant, environment, from, to,
/// taken_before. Column: at (seconds).
std::string untaken_sql(RollupKind kind);

/// Figures of an environment from two sources, each minute from one of them. The names of columns come from the code,
/// every value is a parameter: tenant, environment, bucket (seconds; 0: all is one), most.
struct FiguresSql {
  RollupKind kind;
  std::string_view keys;  ///< columns to tell apart, each followed by a comma; may be empty
  std::string_view more;  ///< conditions on columns that both sources have, each after an AND; may be empty
  std::span<const MinuteRange> rolled, raw;
};
/// Columns: at (seconds), the keys, n, failures, with_duration, duration_total, longest, p50, p95, p99.
std::string figures_sql(const FiguresSql& query, clickhouse::Parameters& parameters);

}  // namespace cameleer::server
