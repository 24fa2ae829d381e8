#pragma once
#include <cameleer/clickhouse/block.hpp>
#include <cameleer/core/execution.hpp>
#include <span>
#include <string>
#include <vector>

namespace cameleer::server {

/// Columns of the two tables in the order in which rows are written (schemas/clickhouse/V0001).
std::span<const clickhouse::Block::Column> execution_columns();
std::span<const clickhouse::Block::Column> processor_columns();

/// What rows of one request share.
struct RowOrigin {
  std::string tenant, environment;
  Instant arrived;
};

/// Version of both kinds of rows: a finished execution ranks above every running one, which ranks by `running_rank` (1,
/// or the number of its part). Of equal ranks the earlier arrival is the higher.
std::uint64_t execution_version(std::string_view status, std::uint32_t running_rank, Instant arrived);

/// Appends the execution to both blocks.
void append_rows(const Execution& execution, const RowOrigin& origin, clickhouse::Block& executions,
                 clickhouse::Block& processors);
/// The same for part number `chunk_seq` of an execution.
void append_chunk_rows(const Execution& exchange, std::uint32_t chunk_seq, const RowOrigin& origin,
                       clickhouse::Block& executions, clickhouse::Block& processors);

}  // namespace cameleer::server
