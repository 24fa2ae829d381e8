#include "server/executions/row_reader.hpp"

#include <cameleer/clickhouse/named_cells.hpp>

namespace cameleer::server {

const std::string_view kSummaryColumns =
    "environment, application, instance_id, route_id,"
    " if(status = 'RUNNING' AND inserted_at < {stale_before:DateTime64(3)}, 'INCOMPLETE', status) AS shown_status,"
    " start_time, end_time, duration_ms, execution_id, correlation_id, exchange_id, parent_execution_id, replay_of,"
    " error_message, failed_processor_id, failed_processor_type, processor_count, attributes";

const std::string_view kDetailColumns =
    ", from_endpoint, engine_level, diagram_hash, error_stack_trace, input_body, input_body_size, input_headers,"
    " output_body, output_body_size, output_headers, truncated";

const std::string_view kProcessorColumns =
    "seq, parent_seq, processor_id, processor_type, status, processor_start_time, duration_ms, iteration,"
    " iteration_size, loop_index, split_index, multicast_index, endpoint_uri, resolved_endpoint_uri, error_message,"
    " error_stack_trace, input_body, input_body_size, input_headers, output_body, output_body_size, output_headers,"
    " attributes, filter_matched, duplicate_message, circuit_breaker_state, truncated";

namespace {

using clickhouse::NamedCells;

std::optional<Body> body_of(const NamedCells& cells, std::string_view name, std::string_view size_name) {
  const auto size = cells.given<std::uint64_t>(size_name);
  if (!size) return std::nullopt;
  return Body{cells.text(name), *size};
}

Message message_of(const NamedCells& cells) {
  return {.input_body = body_of(cells, "input_body", "input_body_size"),
          .output_body = body_of(cells, "output_body", "output_body_size"),
          .input_headers = cells.map("input_headers"),
          .output_headers = cells.map("output_headers")};
}

}  // namespace

ExecutionRow read_summary(const clickhouse::Row& row) {
  const NamedCells cells(row);
  ExecutionRow into;
  auto& execution = into.execution;
  into.environment = cells.text("environment");
  into.failed_processor_id = cells.text("failed_processor_id");
  into.failed_processor_type = cells.text("failed_processor_type");
  into.processor_count = static_cast<std::uint32_t>(cells.integer("processor_count"));
  execution.application = cells.text("application");
  execution.instance_id = cells.text("instance_id");
  execution.route_id = cells.text("route_id");
  execution.status = cells.text("shown_status");
  execution.start_time = cells.time("start_time");
  if (const auto end = cells.time("end_time"); end != Instant{}) execution.end_time = end;
  execution.duration_ms = cells.given<std::int64_t>("duration_ms");
  execution.execution_id = cells.text("execution_id");
  execution.correlation_id = cells.text("correlation_id");
  execution.exchange_id = cells.text("exchange_id");
  execution.parent_execution_id = cells.text("parent_execution_id");
  execution.replay_of = cells.text("replay_of");
  execution.error_message = cells.text("error_message");
  execution.attributes = cells.map("attributes");
  return into;
}

void read_detail(const clickhouse::Row& row, ExecutionRow& into) {
  const NamedCells cells(row);
  auto& execution = into.execution;
  execution.from_endpoint = cells.text("from_endpoint");
  execution.engine_level = cells.text("engine_level");
  execution.diagram_hash = cells.text("diagram_hash");
  execution.error_stack_trace = cells.text("error_stack_trace");
  execution.message = message_of(cells);
  execution.truncated = cells.array("truncated");
}

ProcessorExecution read_processor(const clickhouse::Row& row) {
  const NamedCells cells(row);
  ProcessorExecution step;
  step.seq = static_cast<std::uint32_t>(cells.integer("seq"));
  step.parent_seq = cells.given<std::uint32_t>("parent_seq");
  step.processor_id = cells.text("processor_id");
  step.processor_type = cells.text("processor_type");
  step.status = cells.text("status");
  step.start_time = cells.time("processor_start_time");
  step.duration_ms = cells.given<std::int64_t>("duration_ms");
  step.iteration = cells.given<std::int32_t>("iteration");
  step.iteration_size = cells.given<std::int32_t>("iteration_size");
  step.loop_index = cells.given<std::int32_t>("loop_index");
  step.split_index = cells.given<std::int32_t>("split_index");
  step.multicast_index = cells.given<std::int32_t>("multicast_index");
  step.endpoint_uri = cells.text("endpoint_uri");
  step.resolved_endpoint_uri = cells.text("resolved_endpoint_uri");
  step.error_message = cells.text("error_message");
  step.error_stack_trace = cells.text("error_stack_trace");
  step.message = message_of(cells);
  step.attributes = cells.map("attributes");
  if (const auto flag = cells.given<int>("filter_matched")) step.filter_matched = *flag != 0;
  if (const auto flag = cells.given<int>("duplicate_message")) step.duplicate_message = *flag != 0;
  step.circuit_breaker_state = cells.text("circuit_breaker_state");
  step.truncated = cells.array("truncated");
  return step;
}

}  // namespace cameleer::server
