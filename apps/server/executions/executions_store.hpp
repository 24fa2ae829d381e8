#pragma once
#include <cameleer/clickhouse/client.hpp>
#include <cameleer/core/execution.hpp>
#include <cameleer/core/execution_filter.hpp>
#include <optional>
#include <string>
#include <vector>

namespace cameleer::server {

/// An execution as stored. Of a search: without bodies, headers, stack trace and processors.
struct ExecutionRow {
  Execution execution;  ///< `status` may be INCOMPLETE
  std::string environment;
  std::string failed_processor_id, failed_processor_type;
  std::uint32_t processor_count = 0;
};

struct ExecutionDetail {
  ExecutionRow row;
  std::vector<ExecutionRow> correlated;  ///< oldest first
};

/// What every query is bound to.
struct ReadScope {
  std::string tenant, environment;
  Instant from, to;      ///< start time, from inclusive, to exclusive
  Instant oldest;        ///< what started before is beyond the retention and never seen
  Instant as_of;         ///< rows that arrived later are not seen
  Instant stale_before;  ///< RUNNING rows last heard of before are INCOMPLETE
};

/// The key of the last row of a page.
struct PageKey {
  Instant start_time;
  std::string execution_id;
};

/// SQL over `executions` and `processor_executions`. Every value is a bound parameter.
class ExecutionsStore {
 public:
  explicit ExecutionsStore(clickhouse::Client& engine) : engine_(engine) {}

  /// When the newest row of the scope arrived (its `as_of` does not count); absent: there is none.
  async::Task<Expected<std::optional<Instant>>> newest_arrival(ReadScope scope);
  /// The newest `count` matching rows after `after` (older than it).
  async::Task<Expected<std::vector<ExecutionRow>>> page(ReadScope scope, ExecutionFilter filter,
                                                        std::optional<PageKey> after, std::size_t count);
  /// How many match, counted up to `most`.
  async::Task<Expected<std::uint64_t>> count(ReadScope scope, ExecutionFilter filter, std::uint64_t most);
  /// The whole execution, its processors in order of seq; the newest when the id was used twice.
  async::Task<Expected<std::optional<ExecutionRow>>> find(ReadScope scope, std::string execution_id);
  /// Other executions of this correlation id, oldest first.
  async::Task<Expected<std::vector<ExecutionRow>>> correlated(ReadScope scope, std::string correlation_id,
                                                              std::string except_execution_id, std::size_t count);

 private:
  async::Task<Expected<std::vector<ProcessorExecution>>> processors(ReadScope scope, std::string execution_id);
  async::Task<Expected<std::vector<ExecutionRow>>> rows(ReadScope scope, std::string sql,
                                                        clickhouse::Parameters parameters);
  async::Task<Expected<void>> count_processors(ReadScope scope, std::vector<ExecutionRow>& rows);

  clickhouse::Client& engine_;
};

}  // namespace cameleer::server
