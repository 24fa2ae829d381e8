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

/// Which of several rows of one identity stays; see the schema. Of equal ranks the earlier arrival is the higher.
std::uint64_t row_version(std::string_view status, Instant arrived);

/// Appends the execution to both blocks.
void append_rows(const Execution& execution, const RowOrigin& origin, clickhouse::Block& executions,
                 clickhouse::Block& processors);

}  // namespace cameleer::server
