#pragma once
#include <cameleer/clickhouse/client.hpp>
#include <cameleer/core/execution_filter.hpp>
#include <cameleer/core/instant.hpp>
#include <functional>

#include "server/executions/cursor.hpp"
#include "server/executions/executions_store.hpp"

namespace cameleer::server {

/// What may be read of an environment.
struct ReadableEnvironment {
  std::string data_name;     ///< what its telemetry carries as environment
  std::chrono::days kept{};  ///< older executions are not seen
};
/// As it is now. Fails with `environment_not_found`, or with what kept it from looking.
using ReadableOf = std::function<async::Task<Expected<ReadableEnvironment>>(std::string slug)>;

struct ExecutionsOptions {
  std::string tenant = "default";
  std::vector<std::byte> cursor_key;      ///< 32 bytes, derived with the label `cursor/v1`
  std::chrono::seconds stale_after{300};  ///< `cameleer.server.executions.stale-after`; RUNNING but unheard of
                                          ///< for so long is shown INCOMPLETE
};

/// One page of a search.
struct ExecutionPage {
  std::vector<ExecutionRow> items;
  std::string next_cursor;  ///< empty on the last page
  std::uint64_t total = 0;
  bool total_is_lower_bound = false;
  Instant as_of, from, to;
};

/// Reads recorded executions. I/O thread only; the client outlives it.
class ExecutionsService {
 public:
  ExecutionsService(clickhouse::Client& engine, ReadableOf readable_of, Clock clock, ExecutionsOptions options);

  /// Newest first. The first page (empty `cursor`) fixes what is visible; a cursor goes on from there.
  /// Errors: `environment_not_found`, `invalid_parameter` naming `cursor`, those of the engine.
  async::Task<Expected<ExecutionPage>> search(std::string environment, ExecutionFilter filter, std::string cursor);

  /// One execution with its processors and the executions of the same correlation. `at`: its start, when known.
  async::Task<Expected<ExecutionDetail>> find(std::string environment, std::string execution_id,
                                              std::optional<Instant> at);

 private:
  async::Task<Expected<Cursor>> first_page(const ReadScope& scope, const ExecutionFilter& filter);
  /// `now`: that of the first page, which decides what is stale.
  [[nodiscard]] ReadScope scope_of(const ReadableEnvironment& readable, Instant from, Instant to, Instant now) const;

  ExecutionsStore store_;
  ReadableOf readable_of_;
  Clock clock_;
  ExecutionsOptions options_;
};

}  // namespace cameleer::server
