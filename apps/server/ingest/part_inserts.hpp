#pragma once
#include "server/ingest/batch_writer.hpp"

namespace cameleer::server {

/// One part for each table and shape, those of the table that requests end with last. Copies; any thread.
std::vector<TablePart> joined_parts(std::span<const EncodedRows* const> all);

/// Inserts parts side by side, and the last one when the others are in: whoever sees an execution sees its steps. The
/// first failure is the outcome. `inserter` outlives it.
async::Task<clickhouse::Outcome<void>> insert_parts(async::Executor executor, const Inserter& inserter,
                                                    std::vector<TablePart> parts);

}  // namespace cameleer::server
