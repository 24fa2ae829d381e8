#include "server/ingest/execution_columns.hpp"

#include <cameleer/core/execution.hpp>

#include "server/ingest/row_identity.hpp"
#include "server/ingest/row_writer.hpp"

namespace cameleer::server {
std::span<const Column> execution_columns() {
  static const std::vector<Column> columns{{"tenant_id", kName},
                                           {"environment", kName},
                                           {"application", kName},
                                           {"instance_id", kName},
                                           {"route_id", kName},
                                           {"status", kName},
                                           {"start_time", kTime},
                                           {"end_time", kTime},
                                           {"duration_ms", "Int64"},
                                           {"execution_id", kText},
                                           {"correlation_id", kText},
                                           {"exchange_id", kText},
                                           {"parent_execution_id", kText},
                                           {"replay_of", kText},
                                           {"from_endpoint", kName},
                                           {"engine_level", kName},
                                           {"diagram_hash", kName},
                                           {"error_message", kText},
                                           {"error_stack_trace", kText},
                                           {"failed_processor_id", kName},
                                           {"failed_processor_type", kName},
                                           {"processor_count", "UInt32"},
                                           {"attributes", kMap},
                                           {"input_body", kText},
                                           {"input_body_size", "Int64"},
                                           {"input_headers", kMap},
                                           {"output_body", kText},
                                           {"output_body_size", "Int64"},
                                           {"output_headers", kMap},
                                           {"truncated", kNames},
                                           {"version", "UInt64"}};
  return columns;
}

std::span<const Column> processor_columns() {
  static const std::vector<Column> columns{{"tenant_id", kName},
                                           {"environment", kName},
                                           {"application", kName},
                                           {"instance_id", kName},
                                           {"route_id", kName},
                                           {"execution_id", kText},
                                           {"start_time", kTime},
                                           {"seq", "UInt32"},
                                           {"parent_seq", "Int64"},
                                           {"processor_id", kName},
                                           {"processor_type", kName},
                                           {"status", kName},
                                           {"processor_start_time", kTime},
                                           {"duration_ms", "Int64"},
                                           {"iteration", "Int32"},
                                           {"iteration_size", "Int32"},
                                           {"loop_index", "Int32"},
                                           {"split_index", "Int32"},
                                           {"multicast_index", "Int32"},
                                           {"endpoint_uri", kName},
                                           {"resolved_endpoint_uri", kText},
                                           {"error_message", kText},
                                           {"error_stack_trace", kText},
                                           {"input_body", kText},
                                           {"input_body_size", "Int64"},
                                           {"input_headers", kMap},
                                           {"output_body", kText},
                                           {"output_body_size", "Int64"},
                                           {"output_headers", kMap},
                                           {"attributes", kMap},
                                           {"filter_matched", "Int32"},
                                           {"duplicate_message", "Int32"},
                                           {"circuit_breaker_state", kName},
                                           {"truncated", kNames},
                                           {"version", "UInt64"}};
  return columns;
}

std::uint64_t execution_version(std::string_view status, std::uint32_t running_rank, Instant arrived) {
  constexpr std::uint32_t finished = 1u << 31;
  return row_version(is_terminal(status) ? finished : running_rank, arrived);
}

}  // namespace cameleer::server
