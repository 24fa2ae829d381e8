#include "server/server_metrics/server_metrics_store.hpp"

#include <fmt/format.h>

#include <cameleer/clickhouse/named_cells.hpp>
#include <map>

namespace cameleer::server {
namespace {

using clickhouse::NamedCells;
using clickhouse::Parameter;

// What a counter grew from in the first step was sampled before it.
constexpr std::chrono::minutes kLookBack{10};
constexpr std::size_t kMostMetrics = 2'000, kMostInstances = 500;

constexpr std::string_view kRange =
    "tenant_id = {tenant:String} AND time >= {from:DateTime64(3)} AND time < {to:DateTime64(3)}";
constexpr std::string_view kSettings = " SETTINGS do_not_merge_across_partitions_select_final = 1";

struct Statement {
  std::string conditions{kRange};
  clickhouse::Parameters parameters;
};

Statement within(const std::string& tenant, Instant from, Instant to) {
  return {.parameters = {Parameter::text("tenant", tenant), Parameter::instant("from", milliseconds_of(from)),
                         Parameter::instant("to", milliseconds_of(to))}};
}

Statement matching(const std::string& tenant, const SeriesQuery& query, Instant from) {
  auto statement = within(tenant, from, query.to);
  statement.conditions += " AND metric_name = {name:String}";
  statement.parameters.push_back(Parameter::text("name", query.name));
  if (!query.instances.empty()) {
    statement.conditions += " AND instance_id IN {instances:Array(String)}";
    statement.parameters.push_back(Parameter::texts("instances", query.instances));
  }
  std::map<std::string, std::vector<std::string>> by_name;
  for (const auto& [name, value] : query.labels) by_name[name].push_back(value);
  std::size_t number = 0;
  for (const auto& [name, values] : by_name) {
    statement.conditions += fmt::format(" AND labels[{{label{0}:String}}] IN {{values{0}:Array(String)}}", number);
    statement.parameters.push_back(Parameter::text(fmt::format("label{}", number), name));
    statement.parameters.push_back(Parameter::texts(fmt::format("values{}", number), values));
    ++number;
  }
  return statement;
}

bool asks_for_growth(const SeriesQuery& query) {
  return query.value == SampleValue::delta || query.value == SampleValue::rate;
}

std::string_view aggregate_of(SampleValue value) {
  switch (value) {
    case SampleValue::avg:
      return "avg(value)";
    case SampleValue::min:
      return "min(value)";
    case SampleValue::latest:
      return "argMax(value, time)";
    case SampleValue::max:
    case SampleValue::delta:
    case SampleValue::rate:
      break;
  }
  return "max(value)";
}

// Whole steps, so that those of the range keep their numbers.
std::int64_t steps_before(const SeriesQuery& query) {
  if (!asks_for_growth(query)) return 0;
  const auto wanted = std::chrono::ceil<std::chrono::seconds>(kLookBack) / query.step + 1;
  return std::min<std::int64_t>(wanted, query.from.time_since_epoch() / query.step);
}

}  // namespace

async::Task<Expected<ServerMetricsStore::Matching>> ServerMetricsStore::count_series(SeriesQuery query) {
  auto statement = matching(tenant_, query, query.from);
  auto sql = fmt::format(
      "SELECT count() AS n, any(of_series) AS type FROM (SELECT any(metric_type) AS of_series FROM server_metrics "
      "WHERE {}"
      " GROUP BY instance_id, series LIMIT {})",
      statement.conditions, SeriesQuery::max_series + 1);
  Matching found;
  std::function<bool(const clickhouse::Row&)> take = [&found](const clickhouse::Row& row) {
    const NamedCells cells(row);
    found = {.series = static_cast<std::size_t>(cells.integer("n")), .type = cells.text("type")};
    return true;
  };
  auto outcome = co_await engine_.select(std::move(sql), std::move(statement.parameters), std::move(take));
  if (!outcome) co_return std::unexpected(std::move(outcome.error().error));
  co_return found;
}

async::Task<Expected<std::vector<MetricSeries>>> ServerMetricsStore::series(SeriesQuery query) {
  const auto before = steps_before(query);
  const auto start = query.from - before * query.step;
  auto statement = matching(tenant_, query, start);
  statement.parameters.push_back(Parameter::integer("start", milliseconds_of(start)));
  statement.parameters.push_back(Parameter::integer("step", std::chrono::milliseconds(query.step).count()));
  auto sql = fmt::format(
      "SELECT instance_id, series, started_at, intDiv(toUnixTimestamp64Milli(time) - {{start:Int64}}, {{step:Int64}})"
      " AS number, any(labels) AS labelled, {} AS shown, min(value) AS least FROM server_metrics FINAL WHERE {}"
      " GROUP BY instance_id, series, started_at, number ORDER BY instance_id, series, started_at, number{}",
      aggregate_of(query.value), statement.conditions, kSettings);
  SeriesPoints points(query.value, query.step);
  std::function<bool(const clickhouse::Row&)> take = [&points, before](const clickhouse::Row& row) {
    const NamedCells cells(row);
    points.add({.instance = cells.text("instance_id"),
                .series = cells.text("series"),
                .labels = cells.map("labelled"),
                .started = cells.time("started_at"),
                .step = cells.integer("number") - before,
                .value = cells.number("shown"),
                .least = cells.number("least")});
    return points.points() <= SeriesQuery::max_points;
  };
  auto outcome = co_await engine_.select(std::move(sql), std::move(statement.parameters), std::move(take));
  if (!outcome) co_return std::unexpected(std::move(outcome.error().error));
  co_return points.take();
}

async::Task<Expected<std::vector<KnownMetric>>> ServerMetricsStore::metrics(SeriesRange range) {
  auto statement = within(tenant_, range.from, range.to);
  auto sql = fmt::format(
      "SELECT metric_name, any(metric_type) AS type, uniqExact(instance_id, series) AS n,"
      " arraySort(groupUniqArrayArray(mapKeys(labels))) AS names FROM server_metrics WHERE {}"
      " GROUP BY metric_name ORDER BY metric_name LIMIT {}",
      statement.conditions, kMostMetrics);
  std::vector<KnownMetric> found;
  std::function<bool(const clickhouse::Row&)> take = [&found](const clickhouse::Row& row) {
    const NamedCells cells(row);
    found.push_back({.name = cells.text("metric_name"),
                     .type = cells.text("type"),
                     .labels = cells.array("names"),
                     .series = cells.integer("n")});
    return true;
  };
  auto outcome = co_await engine_.select(std::move(sql), std::move(statement.parameters), std::move(take));
  if (!outcome) co_return std::unexpected(std::move(outcome.error().error));
  co_return found;
}

async::Task<Expected<std::vector<KnownInstance>>> ServerMetricsStore::instances(SeriesRange range) {
  auto statement = within(tenant_, range.from, range.to);
  auto sql = fmt::format(
      "SELECT instance_id, max(started_at) AS started, min(time) AS first, max(time) AS last FROM server_metrics"
      " WHERE {} GROUP BY instance_id ORDER BY instance_id LIMIT {}",
      statement.conditions, kMostInstances);
  std::vector<KnownInstance> found;
  std::function<bool(const clickhouse::Row&)> take = [&found](const clickhouse::Row& row) {
    const NamedCells cells(row);
    found.push_back({.id = cells.text("instance_id"),
                     .started = cells.time("started"),
                     .first_sample = cells.time("first"),
                     .last_sample = cells.time("last")});
    return true;
  };
  auto outcome = co_await engine_.select(std::move(sql), std::move(statement.parameters), std::move(take));
  if (!outcome) co_return std::unexpected(std::move(outcome.error().error));
  co_return found;
}

}  // namespace cameleer::server
