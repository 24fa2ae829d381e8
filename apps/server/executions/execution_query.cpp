#include "server/executions/execution_query.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cameleer::server {
namespace {

using clickhouse::Parameter;

// One partition holds all rows of an identity, so partitions need no merging with each other.
constexpr std::string_view kSettings =
    " SETTINGS do_not_merge_across_partitions_select_final = 1, use_skip_indexes_if_final = 1";

constexpr std::string_view kScope =
    "tenant_id = {tenant:String} AND environment = {environment:String}"
    " AND start_time >= {from:DateTime64(3)} AND start_time < {to:DateTime64(3)}";

// What the search indexes are made of (schemas/clickhouse/V0005): they serve a condition that says the same.
constexpr std::string_view kAttributes =
    "arrayMap((k, v) -> concat(k, '=', v), mapKeys(attributes), mapValues(attributes))";
constexpr std::string_view kErrors = "lowerUTF8(concat(error_message, ' ', error_stack_trace))";
constexpr std::string_view kHeaders =
    "lowerUTF8(concat(substring(arrayStringConcat(mapValues(input_headers), ' '), 1, 4096), ' ',"
    " substring(arrayStringConcat(mapValues(output_headers), ' '), 1, 4096)))";

}  // namespace

ExecutionQuery::ExecutionQuery(Table table, const ReadScope& scope)
    : table_(table),
      conditions_(kScope),
      parameters_{Parameter::text("tenant", scope.tenant),
                  Parameter::text("environment", scope.environment),
                  Parameter::instant("from", milliseconds_of(std::max(scope.from, scope.oldest))),
                  Parameter::instant("to", milliseconds_of(scope.to)),
                  Parameter::instant("as_of", milliseconds_of(scope.as_of)),
                  Parameter::instant("stale_before", milliseconds_of(scope.stale_before))} {}

ExecutionQuery& ExecutionQuery::visible() {
  // A row that arrived later may have replaced one that was there: an unfinished execution that finished since.
  return where(fmt::format(
      "(inserted_at <= {{as_of:DateTime64(3)}} OR (start_time, execution_id) IN (SELECT start_time, execution_id"
      " FROM execution_arrivals WHERE {} GROUP BY start_time, execution_id"
      " HAVING min(first_seen) <= {{as_of:DateTime64(3)}}))",
      kScope));
}

ExecutionQuery& ExecutionQuery::where(std::string_view condition) {
  conditions_.append(" AND ").append(condition);
  return *this;
}

ExecutionQuery& ExecutionQuery::bind(Parameter parameter) {
  parameters_.push_back(std::move(parameter));
  return *this;
}

ExecutionQuery& ExecutionQuery::matching(const ExecutionFilter& filter) {
  const auto any_of = [this](std::string_view expression, std::string_view name,
                             const std::vector<std::string>& values) {
    if (values.empty()) return;
    where(fmt::format("{} IN {{{}:Array(String)}}", expression, name))
        .bind(Parameter::texts(std::string(name), values));
  };
  const auto equals = [this](std::string_view column, const std::string& value) {
    if (value.empty()) return;
    where(fmt::format("{0} = {{{0}:String}}", column)).bind(Parameter::text(std::string(column), value));
  };
  any_of(shown_status, "statuses", filter.statuses);
  any_of("application", "applications", filter.applications);
  any_of("route_id", "routes", filter.route_ids);
  any_of("instance_id", "instances", filter.instance_ids);
  equals("correlation_id", filter.correlation_id);
  equals("exchange_id", filter.exchange_id);
  if (filter.duration_min_ms) {
    where("duration_ms >= {duration_min:Int64}").bind(Parameter::integer("duration_min", *filter.duration_min_ms));
  }
  if (filter.duration_max_ms) {
    where("duration_ms BETWEEN 0 AND {duration_max:Int64}")
        .bind(Parameter::integer("duration_max", *filter.duration_max_ms));
  }
  match_texts(filter);
  return *this;
}

void ExecutionQuery::match_texts(const ExecutionFilter& filter) {
  if (!filter.text.empty()) {
    std::string any;
    for (const auto* column : {"error_message", "execution_id", "correlation_id", "exchange_id", "route_id"}) {
      any += fmt::format("{}positionCaseInsensitiveUTF8({}, {{text:String}}) > 0", any.empty() ? "" : " OR ", column);
    }
    where("(" + any + ")").bind(Parameter::text("text", filter.text));
  }
  if (!filter.attributes.empty()) {
    where(fmt::format("hasAll({}, {{attributes:Array(String)}})", kAttributes))
        .bind(Parameter::texts("attributes", filter.attributes));
  }
  const auto words = [this](std::string_view text, std::string_view name, const std::string& value) {
    if (value.empty()) return;
    where(fmt::format("hasAllTokens({}, lowerUTF8({{{}:String}}))", text, name))
        .bind(Parameter::text(std::string(name), value));
  };
  words(kErrors, "error_words", filter.error_words);
  words(kHeaders, "header_words", filter.header_words);
}

std::string_view ExecutionQuery::table() const {
  return table_ == Table::executions ? "executions" : "processor_executions";
}

std::string ExecutionQuery::arrivals_sql() const {
  return fmt::format("SELECT count() AS n, max(inserted_at) AS newest FROM {} WHERE {}", table(), conditions_);
}

std::string ExecutionQuery::body(std::string_view columns, std::string_view tail) const {
  return fmt::format("SELECT {} FROM {} FINAL WHERE {} {}", columns, table(), conditions_, tail);
}

std::string ExecutionQuery::sql(std::string_view columns, std::string_view tail) const {
  return body(columns, tail).append(kSettings);
}

std::string ExecutionQuery::count_sql() const {
  return fmt::format("SELECT count() AS n FROM ({}){}", body("1", "LIMIT {most:UInt64}"), kSettings);
}

}  // namespace cameleer::server
