#include "server/rollups/rollup_statistics.hpp"

#include <algorithm>

namespace cameleer::server {
namespace {

using clickhouse::Parameter;
using By = StatisticsQuery::By;

// More would make the statement long. Joined ones read some minutes from the rows that the roll-ups have too.
constexpr std::size_t kMostRanges = 40;

std::string_view keys_of(By by) {
  switch (by) {
    case By::application:
      return "application, ";
    case By::route:
      return "application, route_id, ";
    case By::processor:
      return "application, route_id, processor_id, processor_type, ";
    default:
      return "";
  }
}

// The first whole minute from then on.
Instant minute_after(Instant instant) {
  return std::chrono::ceil<std::chrono::minutes>(instant);
}

StatisticsRow read_row(const clickhouse::Row& row, By by) {
  std::size_t column = 0;
  const auto text = [&row, &column] { return std::string(row.text(column++)); };
  const auto natural = [&row, &column] { return static_cast<std::uint64_t>(row.integer(column++)); };
  StatisticsRow into;
  if (by != By::nothing) into.application = text();
  if (by == By::route || by == By::processor) into.route_id = text();
  if (by == By::processor) {
    into.processor_id = text();
    into.processor_type = text();
  }
  into.at = Instant(std::chrono::seconds(row.integer(column++)));
  into.count = natural();
  into.failed = natural();
  into.timed = natural();
  into.duration_sum_ms = row.integer(column++);
  into.duration_max_ms = row.integer(column++);
  if (into.timed == 0) return into;
  into.p50_ms = row.number(column++);
  into.p95_ms = row.number(column++);
  into.p99_ms = row.number(column++);
  return into;
}

}  // namespace

async::Task<Expected<Statistics::Sources>> Statistics::sources(RollupKind kind, std::string environment,
                                                               MinuteRange range) {
  const auto& position = rollups_.position();
  // Earlier minutes have lost rows, later ones were never rolled.
  const auto kept = std::clamp(minute_after(rollups_.kept_since()(environment)), range.from, range.to);
  const auto rolled_to = std::clamp(position ? position->minutes_before : Instant{}, kept, range.to);
  std::vector<MinuteRange> raw;
  if (kept < rolled_to) {
    std::function<bool(const clickhouse::Row&)> take = [&raw](const clickhouse::Row& row) {
      append_minute(raw, Instant(std::chrono::seconds(row.integer(0))));
      return true;
    };
    clickhouse::Parameters parameters{Parameter::text("tenant", tenant_), Parameter::text("environment", environment),
                                      Parameter::instant("from", milliseconds_of(kept)),
                                      Parameter::instant("to", milliseconds_of(rolled_to)),
                                      Parameter::instant("taken_before", milliseconds_of(position->taken_before))};
    auto outcome = co_await engine_.select(untaken_sql(kind), std::move(parameters), std::move(take));
    if (!outcome) co_return std::unexpected(std::move(outcome.error().error));
  }
  if (rolled_to < range.to) raw.push_back({rolled_to, range.to});
  raw = at_most(std::move(raw), kMostRanges);
  auto rolled = outside(raw, range);
  co_return Sources{.rolled = std::move(rolled), .raw = std::move(raw)};
}

async::Task<Expected<std::vector<StatisticsRow>>> Statistics::read(StatisticsQuery query) {
  std::vector<StatisticsRow> rows;
  const MinuteRange range{minute_of(query.from), minute_after(query.to)};
  if (range.from >= range.to) co_return rows;
  auto found = co_await sources(query.of, query.environment, range);
  if (!found) co_return std::unexpected(std::move(found.error()));

  clickhouse::Parameters parameters{Parameter::text("tenant", tenant_),
                                    Parameter::text("environment", query.environment),
                                    Parameter::integer("bucket", std::chrono::seconds(query.bucket).count()),
                                    Parameter::integer("most", static_cast<std::int64_t>(query.most))};
  std::string more;
  if (!query.applications.empty()) {
    more += " AND application IN {applications:Array(String)}";
    parameters.push_back(Parameter::texts("applications", query.applications));
  }
  if (!query.route_ids.empty()) {
    more += " AND route_id IN {routes:Array(String)}";
    parameters.push_back(Parameter::texts("routes", query.route_ids));
  }
  const auto sql = figures_sql(
      {.kind = query.of, .keys = keys_of(query.by), .more = more, .rolled = found->rolled, .raw = found->raw},
      parameters);
  std::function<bool(const clickhouse::Row&)> take = [&rows, by = query.by](const clickhouse::Row& row) {
    rows.push_back(read_row(row, by));
    return true;
  };
  auto outcome = co_await engine_.select(sql, std::move(parameters), std::move(take));
  if (!outcome) co_return std::unexpected(std::move(outcome.error().error));
  co_return rows;
}

}  // namespace cameleer::server
