#include "server/executions/executions_store.hpp"

#include <algorithm>
#include <array>
#include <cameleer/core/processor_tree.hpp>
#include <map>

#include "server/executions/execution_query.hpp"
#include "server/executions/row_reader.hpp"

namespace cameleer::server {
namespace {

using clickhouse::Parameter;
using Table = ExecutionQuery::Table;

// Most searches are answered by the newest rows, so the range grows only as long as rows are missing.
constexpr std::array<std::chrono::hours, 2> kSteps{std::chrono::hours(1), std::chrono::hours(24)};

ExecutionQuery page_query(const ReadScope& scope, const ExecutionFilter& filter, const std::optional<PageKey>& after) {
  ExecutionQuery query(Table::executions, scope);
  query.visible().matching(filter);
  if (after) {
    query
        .where(
            "(start_time < {after_time:DateTime64(3)} OR"
            " (start_time = {after_time:DateTime64(3)} AND execution_id < {after_id:String}))")
        .bind(Parameter::instant("after_time", milliseconds_of(after->start_time)))
        .bind(Parameter::text("after_id", after->execution_id));
  }
  return query;
}

// What no part could tell alone.
void complete_from_parts(ExecutionRow& row) {
  const auto& steps = row.execution.processors;
  row.processor_count = static_cast<std::uint32_t>(steps.size());
  const auto* failing = row.execution.status == status::failed ? find_failing_processor(steps) : nullptr;
  if (!failing) return;
  row.failed_processor_id = failing->processor_id;
  row.failed_processor_type = failing->processor_type;
}

}  // namespace

async::Task<Expected<std::vector<ExecutionRow>>> ExecutionsStore::rows(ReadScope scope, std::string sql,
                                                                       clickhouse::Parameters parameters) {
  std::vector<ExecutionRow> found;
  std::function<bool(const clickhouse::Row&)> take = [&found](const clickhouse::Row& row) {
    found.push_back(read_summary(row));
    return true;
  };
  auto outcome = co_await engine_.select(std::move(sql), std::move(parameters), std::move(take));
  if (!outcome) co_return std::unexpected(std::move(outcome.error().error));
  auto counted = co_await count_processors(std::move(scope), found);
  if (!counted) co_return std::unexpected(std::move(counted.error()));
  co_return found;
}

// Executions that came in parts, which are few.
async::Task<Expected<void>> ExecutionsStore::count_processors(ReadScope scope, std::vector<ExecutionRow>& rows) {
  std::map<std::pair<std::int64_t, std::string>, ExecutionRow*> unknown;
  std::vector<std::string> ids;
  for (auto& row : rows) {
    if (row.processor_count != unknown_processor_count) continue;
    row.processor_count = 0;
    const auto start = row.execution.start_time;
    scope.from = unknown.empty() ? start : std::min(scope.from, start);
    scope.to = std::max(unknown.empty() ? start : scope.to, start + std::chrono::milliseconds(1));
    unknown.emplace(std::pair(milliseconds_of(start), row.execution.execution_id), &row);
    ids.push_back(row.execution.execution_id);
  }
  if (unknown.empty()) co_return Expected<void>{};
  ExecutionQuery query(Table::processors, scope);
  query.where("execution_id IN {ids:Array(String)}").bind(Parameter::texts("ids", ids));
  std::function<bool(const clickhouse::Row&)> take = [&unknown](const clickhouse::Row& row) {
    const auto found =
        unknown.find({row.integer(row.column("start_time")), std::string(row.text(row.column("execution_id")))});
    if (found != unknown.end()) {
      found->second->processor_count = static_cast<std::uint32_t>(row.integer(row.column("n")));
    }
    return true;
  };
  auto outcome =
      co_await engine_.select(query.sql("start_time, execution_id, count() AS n", "GROUP BY start_time, execution_id"),
                              query.parameters(), std::move(take));
  if (!outcome) co_return std::unexpected(std::move(outcome.error().error));
  co_return Expected<void>{};
}

async::Task<Expected<std::optional<Instant>>> ExecutionsStore::newest_arrival(ReadScope scope) {
  const ExecutionQuery query(Table::executions, scope);
  std::optional<Instant> newest;
  std::function<bool(const clickhouse::Row&)> take = [&newest](const clickhouse::Row& row) {
    if (row.integer(row.column("n")) > 0) newest = instant_of(row.integer(row.column("newest")));
    return true;
  };
  auto outcome = co_await engine_.select(query.arrivals_sql(), query.parameters(), std::move(take));
  if (!outcome) co_return std::unexpected(std::move(outcome.error().error));
  co_return newest;
}

async::Task<Expected<std::vector<ExecutionRow>>> ExecutionsStore::page(ReadScope scope, ExecutionFilter filter,
                                                                       std::optional<PageKey> after,
                                                                       std::size_t count) {
  const auto oldest = scope.from;
  if (after) scope.to = std::min(scope.to, after->start_time + std::chrono::milliseconds(1));
  for (std::size_t step = 0;; ++step) {
    scope.from = step < kSteps.size() ? std::max(oldest, scope.to - kSteps[step]) : oldest;
    auto query = page_query(scope, filter, after);
    query.bind(Parameter::integer("count", static_cast<std::int64_t>(count)));
    auto found = co_await rows(
        scope, query.sql(kSummaryColumns, "ORDER BY start_time DESC, execution_id DESC LIMIT {count:UInt64}"),
        query.parameters());
    if (!found || found->size() >= count || scope.from == oldest) co_return found;
  }
}

async::Task<Expected<std::uint64_t>> ExecutionsStore::count(ReadScope scope, ExecutionFilter filter,
                                                            std::uint64_t most) {
  ExecutionQuery query(Table::executions, scope);
  query.visible().matching(filter).bind(Parameter::integer("most", static_cast<std::int64_t>(most)));
  std::uint64_t counted = 0;
  std::function<bool(const clickhouse::Row&)> take = [&counted](const clickhouse::Row& row) {
    counted = static_cast<std::uint64_t>(row.integer(row.column("n")));
    return true;
  };
  auto outcome = co_await engine_.select(query.count_sql(), query.parameters(), std::move(take));
  if (!outcome) co_return std::unexpected(std::move(outcome.error().error));
  co_return counted;
}

async::Task<Expected<std::optional<ExecutionRow>>> ExecutionsStore::find(ReadScope scope, std::string execution_id) {
  ExecutionQuery query(Table::executions, scope);
  query.where("execution_id = {execution_id:String}").bind(Parameter::text("execution_id", execution_id));
  std::optional<ExecutionRow> found;
  std::function<bool(const clickhouse::Row&)> take = [&found](const clickhouse::Row& row) {
    found = read_summary(row);
    read_detail(row, *found);
    return true;
  };
  auto outcome = co_await engine_.select(
      query.sql(std::string(kSummaryColumns).append(kDetailColumns), "ORDER BY start_time DESC LIMIT 1"),
      query.parameters(), std::move(take));
  if (!outcome) co_return std::unexpected(std::move(outcome.error().error));
  if (!found) co_return found;

  scope.from = found->execution.start_time;
  scope.to = scope.from + std::chrono::milliseconds(1);
  auto steps = co_await processors(std::move(scope), std::move(execution_id));
  if (!steps) co_return std::unexpected(std::move(steps.error()));
  found->execution.processors = std::move(*steps);
  if (found->processor_count == unknown_processor_count) complete_from_parts(*found);
  co_return found;
}

async::Task<Expected<std::vector<ProcessorExecution>>> ExecutionsStore::processors(ReadScope scope,
                                                                                   std::string execution_id) {
  ExecutionQuery query(Table::processors, scope);
  query.where("execution_id = {execution_id:String}").bind(Parameter::text("execution_id", execution_id));
  std::vector<ProcessorExecution> steps;
  std::function<bool(const clickhouse::Row&)> take = [&steps](const clickhouse::Row& row) {
    steps.push_back(read_processor(row));
    return true;
  };
  auto outcome =
      co_await engine_.select(query.sql(kProcessorColumns, "ORDER BY seq"), query.parameters(), std::move(take));
  if (!outcome) co_return std::unexpected(std::move(outcome.error().error));
  co_return steps;
}

async::Task<Expected<std::vector<ExecutionRow>>> ExecutionsStore::correlated(ReadScope scope,
                                                                             std::string correlation_id,
                                                                             std::string except_execution_id,
                                                                             std::size_t count) {
  ExecutionQuery query(Table::executions, scope);
  query.where("correlation_id = {correlation_id:String}")
      .where("execution_id != {except_id:String}")
      .bind(Parameter::text("correlation_id", correlation_id))
      .bind(Parameter::text("except_id", except_execution_id))
      .bind(Parameter::integer("count", static_cast<std::int64_t>(count)));
  co_return co_await rows(scope, query.sql(kSummaryColumns, "ORDER BY start_time, execution_id LIMIT {count:UInt64}"),
                          query.parameters());
}

}  // namespace cameleer::server
