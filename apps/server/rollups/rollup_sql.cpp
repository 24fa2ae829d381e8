#include "server/rollups/rollup_sql.hpp"

#include <fmt/format.h>

namespace cameleer::server {
namespace {

using clickhouse::Parameter;

struct Tables {
  std::string_view raw, rolled, keys;
};

Tables tables_of(RollupKind kind) {
  if (kind == RollupKind::routes) return {"executions", "route_minutes", "application, route_id"};
  return {"processor_executions", "processor_minutes", "application, route_id, processor_id, processor_type"};
}

// One partition holds all rows of an identity, so partitions need no merging with each other.
constexpr std::string_view kFinalOnly = "do_not_merge_across_partitions_select_final = 1";

// One thread and little memory: whoever sends data or looks at it goes first.
constexpr std::string_view kModest =
    "max_threads = 1, max_insert_threads = 1, max_memory_usage = 1073741824, max_bytes_before_external_group_by = "
    "536870912";

constexpr std::string_view kScope = "tenant_id = {tenant:String} AND environment = {environment:String}";

// What counts of a recorded row; the one place that says it, for roll-ups and for reading rows themselves.
constexpr std::string_view kRawColumns =
    "toStartOfMinute(start_time) AS minute, status != 'RUNNING' AS ended, status = 'FAILED' AS broken, "
    "if(ended, duration_ms, -1) AS duration";
constexpr std::string_view kFigures =
    "countIf(ended) AS finished, countIf(broken) AS failed, countIf(duration >= 0) AS timed, "
    "sumIf(duration, duration >= 0) AS duration_sum, maxIf(duration, duration >= 0) AS duration_max, "
    "quantilesDDStateIf(0.01, 0.5, 0.95, 0.99)(duration, duration >= 0) AS durations";
constexpr std::string_view kFigureColumns = "finished, failed, timed, duration_sum, duration_max, durations";

std::string within(std::string_view column, std::span<const MinuteRange> ranges, std::string_view prefix,
                   clickhouse::Parameters& parameters) {
  std::string any;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const auto from = fmt::format("{}{}_from", prefix, i);
    const auto to = fmt::format("{}{}_to", prefix, i);
    any += fmt::format("{0}({1} >= {{{2}:DateTime64(3)}} AND {1} < {{{3}:DateTime64(3)}})", i == 0 ? "" : " OR ",
                       column, from, to);
    parameters.push_back(Parameter::instant(from, milliseconds_of(ranges[i].from)));
    parameters.push_back(Parameter::instant(to, milliseconds_of(ranges[i].to)));
  }
  return "(" + any + ")";
}

}  // namespace

std::string_view table_of(RollupKind kind) {
  return tables_of(kind).rolled;
}

std::string due_sql(RollupKind kind) {
  return fmt::format(
      "SELECT environment, toUnixTimestamp(minute) AS at FROM ("
      "SELECT environment, toStartOfMinute(start_time) AS minute FROM {0} WHERE tenant_id = {{tenant:String}}"
      " AND start_time < {{rolled_to:DateTime64(3)}}"
      " AND inserted_at >= {{taken_from:DateTime64(3)}} AND inserted_at < {{taken_to:DateTime64(3)}}"
      " UNION ALL "
      "SELECT environment, toStartOfMinute(start_time) AS minute FROM {0} WHERE tenant_id = {{tenant:String}}"
      " AND start_time >= {{rolled_to:DateTime64(3)}} AND start_time < {{roll_to:DateTime64(3)}}"
      ") WHERE (environment, minute) > ({{after_environment:String}}, toDateTime({{after_minute:DateTime64(3)}}))"
      " GROUP BY environment, minute ORDER BY environment, minute LIMIT {{most:UInt64}} SETTINGS {1}",
      tables_of(kind).raw, kModest);
}

std::string replace_sql(RollupKind kind) {
  const auto [raw, rolled, keys] = tables_of(kind);
  const auto here = fmt::format(
      "{} AND minute >= toDateTime({{from:DateTime64(3)}}) AND minute < toDateTime({{to:DateTime64(3)}})", kScope);
  const auto rows = fmt::format(
      "SELECT {0}, {1}, toUInt64(1) AS row_now, toUInt64(0) AS rows_then FROM {2} FINAL WHERE {3}"
      " AND start_time >= {{from:DateTime64(3)}} AND start_time < {{to:DateTime64(3)}}",
      kRawColumns, keys, raw, kScope);
  // What was there takes part with its keys alone: one that is in the minute no more comes out with nothing seen.
  const auto before = fmt::format(
      "SELECT minute, 0 AS ended, 0 AS broken, toInt64(-1) AS duration, {0}, toUInt64(0) AS row_now, seen AS rows_then"
      " FROM {1} FINAL WHERE {2}",
      keys, rolled, here);
  const auto by_key = fmt::format(
      "SELECT minute, {0}, {1}, sum(row_now) AS seen_now, sum(rows_then) AS seen_then FROM ({2} UNION ALL {3})"
      " GROUP BY minute, {0}",
      keys, kFigures, rows, before);
  // Later than what it replaces, also after the store's clock was set back.
  return fmt::format(
      "INSERT INTO {0} (tenant_id, environment, minute, {1}, {2}, seen, deleted, rolled_at) "
      "SELECT {{tenant:String}}, {{environment:String}}, minute, {1}, {2}, seen_now, seen_now = 0, "
      "greatest(now64(3), (SELECT max(rolled_at) + toIntervalMillisecond(1) FROM {0} WHERE {3})) FROM ("
      "SELECT *, sum(seen_now) OVER (PARTITION BY minute) AS rows_now, sum(seen_then) OVER (PARTITION BY minute) AS "
      "rows_before FROM ({4})) WHERE rows_now >= rows_before SETTINGS {5}, {6}",
      rolled, keys, kFigureColumns, here, by_key, kFinalOnly, kModest);
}

std::string untaken_sql(RollupKind kind) {
  return fmt::format(
      "SELECT DISTINCT toUnixTimestamp(toStartOfMinute(start_time)) AS at FROM {} WHERE {}"
      " AND start_time >= {{from:DateTime64(3)}} AND start_time < {{to:DateTime64(3)}}"
      " AND inserted_at >= {{taken_before:DateTime64(3)}} ORDER BY at",
      tables_of(kind).raw, kScope);
}

std::string figures_sql(const FiguresSql& query, clickhouse::Parameters& parameters) {
  const auto [raw, rolled, keys] = tables_of(query.kind);
  std::string sources;
  if (!query.rolled.empty()) {
    sources += fmt::format("SELECT minute, {}, {} FROM {} FINAL WHERE {}{} AND {}", keys, kFigureColumns, rolled,
                           kScope, query.more, within("minute", query.rolled, "rolled", parameters));
  }
  if (!query.raw.empty()) {
    if (!sources.empty()) sources += " UNION ALL ";
    sources += fmt::format(
        "SELECT minute, {0}, {1} FROM (SELECT {2}, {0} FROM {3} FINAL WHERE {4}{5} AND {6}) GROUP BY minute, {0}", keys,
        kFigures, kRawColumns, raw, kScope, query.more, within("start_time", query.raw, "raw", parameters));
  }
  return fmt::format(
      "SELECT {0}at, n, failures, with_duration, duration_total, longest, q[1] AS p50, q[2] AS p95, q[3] AS p99 FROM ("
      "SELECT {0}if({{bucket:UInt32}} = 0, 0, intDiv(toUnixTimestamp(minute), {{bucket:UInt32}}) * {{bucket:UInt32}}) "
      "AS at, sum(finished) AS n, sum(failed) AS failures, sum(timed) AS with_duration, "
      "sum(duration_sum) AS duration_total, max(duration_max) AS longest, "
      "quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(durations) AS q FROM ({1}) GROUP BY {0}at HAVING n > 0"
      ") ORDER BY at, {2}n LIMIT {{most:UInt64}} SETTINGS {3}",
      query.keys, sources, query.keys, kFinalOnly);
}

}  // namespace cameleer::server
