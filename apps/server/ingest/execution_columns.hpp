#pragma once
#include <cameleer/clickhouse/block.hpp>
#include <cameleer/core/instant.hpp>
#include <span>

namespace cameleer::server {

/// Columns of the two tables in the order in which rows are written (schemas/clickhouse/V0001).
std::span<const clickhouse::Block::Column> execution_columns();
std::span<const clickhouse::Block::Column> processor_columns();

/// Version of both kinds of rows: a finished execution ranks above every running one, which ranks by `running_rank` (1,
/// or the number of its part). Of equal ranks the earlier arrival is the higher.
std::uint64_t execution_version(std::string_view status, std::uint32_t running_rank, Instant arrived);

}  // namespace cameleer::server
