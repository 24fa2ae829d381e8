#pragma once
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "../../../libs/clickhouse/engine_session.hpp"
#include "server/executions/executions_service.hpp"
#include "server/ingest/ingest_service.hpp"

namespace cameleer::server::test {

using std::chrono::milliseconds;
using Ids = std::vector<std::string>;

/// What the environments of a World keep.
inline constexpr std::chrono::days kKept{30};

/// Ingest and search over one database of a real engine.
struct World {
  explicit World(async::Executor executor);

  /// An execution as an agent sends it, which began so long after `start`.
  [[nodiscard]] std::string record(std::string_view id, milliseconds after = milliseconds(0),
                                   std::string_view status = "COMPLETED", std::string_view more = "") const;
  async::Task<> send(std::string body, std::string environment = "default", DataKind kind = DataKind::executions,
                     std::string data_name = "");
  async::Task<ExecutionPage> page(ExecutionFilter filter = {}, std::string cursor = "",
                                  std::string environment = "default");
  /// Of the first page, which has to be all.
  async::Task<Ids> ids(ExecutionFilter filter = {}, std::string environment = "default");

  Instant now;    ///< the clock of both
  Instant start;  ///< of what is ingested
  std::string database = cameleer::test::unique_database("executions");
  clickhouse::Client engine;
  async::WorkerPool workers{1, 64};
  IngestService ingest;
  ExecutionsService executions;
};

/// Runs `body(world)` against a migrated database, which has the environments `default`, `test` and `again`; the rows
/// of this one are called `again~2`.
void in_world(std::function<async::Task<>(World&)> body);

/// A processor as an agent sends it; no parent when `parent` is negative.
std::string step(std::uint32_t seq, std::int64_t parent, Instant start, std::string_view more = "");

}  // namespace cameleer::server::test
