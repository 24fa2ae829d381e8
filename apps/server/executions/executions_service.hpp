#pragma once
#include <cameleer/clickhouse/client.hpp>
#include <cameleer/core/execution_filter.hpp>
#include <cameleer/core/instant.hpp>
#include <functional>

#include "server/executions/cursor.hpp"
#include "server/executions/executions_store.hpp"

namespace cameleer::server {

/// What the environment's telemetry carries as environment. Fails with `environment_not_found`, or with what kept it
/// from looking.
using DataNameOf = std::function<async::Task<Expected<std::string>>(std::string slug)>;

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
  ExecutionsService(clickhouse::Client& engine, DataNameOf data_name_of, Clock clock, ExecutionsOptions options);

  /// Newest first. The first page (empty `cursor`) fixes what is visible; a cursor goes on from there.
  /// Errors: `environment_not_found`, `invalid_parameter` naming `cursor`, those of the engine.
  async::Task<Expected<ExecutionPage>> search(std::string environment, ExecutionFilter filter, std::string cursor);

  /// One execution with its processors and the executions of the same correlation. `at`: its start, when known.
  async::Task<Expected<ExecutionDetail>> find(std::string environment, std::string execution_id,
                                              std::optional<Instant> at);

 private:
  async::Task<Expected<Cursor>> first_page(const ReadScope& scope, const ExecutionFilter& filter);
  [[nodiscard]] ReadScope scope_of(const std::string& data_name, Instant from, Instant to, Instant now) const;

  ExecutionsStore store_;
  DataNameOf data_name_of_;
  Clock clock_;
  ExecutionsOptions options_;
};

}  // namespace cameleer::server
