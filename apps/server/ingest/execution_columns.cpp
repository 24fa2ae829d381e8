#include "server/ingest/execution_columns.hpp"

#include <cameleer/core/processor_tree.hpp>

#include "server/ingest/row_identity.hpp"
#include "server/ingest/row_writer.hpp"

namespace cameleer::server {
namespace {

void append_processor(const ProcessorExecution& step, const Execution& execution, const RowOrigin& origin,
                      std::uint64_t version, clickhouse::Block& block) {
  RowWriter(block)
      .text(origin.tenant)
      .text(origin.environment)
      .text(execution.application)
      .text(execution.instance_id)
      .text(execution.route_id)
      .text(execution.execution_id)
      .time(execution.start_time)
      .natural(step.seq)
      .optional(step.parent_seq)
      .text(step.processor_id)
      .text(step.processor_type)
      .text(step.status)
      .time(step.start_time)
      .optional(step.duration_ms)
      .optional(step.iteration)
      .optional(step.iteration_size)
      .optional(step.loop_index)
      .optional(step.split_index)
      .optional(step.multicast_index)
      .text(step.endpoint_uri)
      .text(step.resolved_endpoint_uri)
      .text(step.error_message)
      .text(step.error_stack_trace)
      .message(step.message)
      .map(step.attributes)
      .optional(step.filter_matched)
      .optional(step.duplicate_message)
      .text(step.circuit_breaker_state)
      .names(step.truncated)
      .natural(version);
}

}  // namespace

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

namespace {

void append(const Execution& execution, const RowOrigin& origin, std::uint64_t version, std::size_t processor_count,
            clickhouse::Block& executions, clickhouse::Block& processors) {
  const auto* failing = execution.status == status::failed ? find_failing_processor(execution.processors) : nullptr;
  RowWriter(executions)
      .text(origin.tenant)
      .text(origin.environment)
      .text(execution.application)
      .text(execution.instance_id)
      .text(execution.route_id)
      .text(execution.status)
      .time(execution.start_time)
      .time(execution.end_time.value_or(Instant{}))
      .optional(execution.duration_ms)
      .text(execution.execution_id)
      .text(execution.correlation_id)
      .text(execution.exchange_id)
      .text(execution.parent_execution_id)
      .text(execution.replay_of)
      .text(execution.from_endpoint)
      .text(execution.engine_level)
      .text(execution.diagram_hash)
      .text(execution.error_message)
      .text(execution.error_stack_trace)
      .text(failing ? failing->processor_id : "")
      .text(failing ? failing->processor_type : "")
      .natural(processor_count)
      .map(execution.attributes)
      .message(execution.message)
      .names(execution.truncated)
      .natural(version);
  for (const auto& step : execution.processors) append_processor(step, execution, origin, version, processors);
}

}  // namespace

void append_rows(const Execution& execution, const RowOrigin& origin, clickhouse::Block& executions,
                 clickhouse::Block& processors) {
  append(execution, origin, execution_version(execution.status, 1, origin.arrived), execution.processors.size(),
         executions, processors);
}

void append_chunk_rows(const Execution& exchange, std::uint32_t chunk_seq, const RowOrigin& origin,
                       clickhouse::Block& executions, clickhouse::Block& processors) {
  append(exchange, origin, execution_version(exchange.status, chunk_seq, origin.arrived), unknown_processor_count,
         executions, processors);
}

}  // namespace cameleer::server
