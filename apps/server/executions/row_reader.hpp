#pragma once
#include <cameleer/clickhouse/client.hpp>

#include "server/executions/executions_store.hpp"

namespace cameleer::server {

/// Columns of a list of executions, of the rest that only the detail has, and of processors; what the readers expect.
extern const std::string_view kSummaryColumns;
extern const std::string_view kDetailColumns;
extern const std::string_view kProcessorColumns;

ExecutionRow read_summary(const clickhouse::Row& row);
/// Of a row with `kDetailColumns` too.
void read_detail(const clickhouse::Row& row, ExecutionRow& into);
ProcessorExecution read_processor(const clickhouse::Row& row);

}  // namespace cameleer::server
