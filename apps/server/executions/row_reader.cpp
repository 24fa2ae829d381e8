#include "server/executions/row_reader.hpp"

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

// Cells by name; absent numbers are -1 in the tables.
class Cells {
 public:
  explicit Cells(const clickhouse::Row& row) : row_(row) {}
  [[nodiscard]] std::string text(std::string_view name) const { return std::string(row_.text(row_.column(name))); }
  [[nodiscard]] std::int64_t integer(std::string_view name) const { return row_.integer(row_.column(name)); }
  [[nodiscard]] Instant time(std::string_view name) const { return instant_of(integer(name)); }
  [[nodiscard]] StringMap map(std::string_view name) const { return row_.map(row_.column(name)); }
  [[nodiscard]] std::vector<std::string> names(std::string_view name) const { return row_.array(row_.column(name)); }
  template <class Number>
  [[nodiscard]] std::optional<Number> optional(std::string_view name) const {
    const auto value = integer(name);
    if (value < 0) return std::nullopt;
    return static_cast<Number>(value);
  }
  [[nodiscard]] Message message() const {
    Message message;
    message.input_body = body("input_body", "input_body_size");
    message.output_body = body("output_body", "output_body_size");
    message.input_headers = map("input_headers");
    message.output_headers = map("output_headers");
    return message;
  }

 private:
  [[nodiscard]] std::optional<Body> body(std::string_view name, std::string_view size_name) const {
    const auto size = integer(size_name);
    if (size < 0) return std::nullopt;
    return Body{text(name), static_cast<std::uint64_t>(size)};
  }
  const clickhouse::Row& row_;
};

}  // namespace

ExecutionRow read_summary(const clickhouse::Row& row) {
  const Cells cells(row);
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
  execution.duration_ms = cells.optional<std::int64_t>("duration_ms");
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
  const Cells cells(row);
  auto& execution = into.execution;
  execution.from_endpoint = cells.text("from_endpoint");
  execution.engine_level = cells.text("engine_level");
  execution.diagram_hash = cells.text("diagram_hash");
  execution.error_stack_trace = cells.text("error_stack_trace");
  execution.message = cells.message();
  execution.truncated = cells.names("truncated");
}

ProcessorExecution read_processor(const clickhouse::Row& row) {
  const Cells cells(row);
  ProcessorExecution step;
  step.seq = static_cast<std::uint32_t>(cells.integer("seq"));
  step.parent_seq = cells.optional<std::uint32_t>("parent_seq");
  step.processor_id = cells.text("processor_id");
  step.processor_type = cells.text("processor_type");
  step.status = cells.text("status");
  step.start_time = cells.time("processor_start_time");
  step.duration_ms = cells.optional<std::int64_t>("duration_ms");
  step.iteration = cells.optional<std::int32_t>("iteration");
  step.iteration_size = cells.optional<std::int32_t>("iteration_size");
  step.loop_index = cells.optional<std::int32_t>("loop_index");
  step.split_index = cells.optional<std::int32_t>("split_index");
  step.multicast_index = cells.optional<std::int32_t>("multicast_index");
  step.endpoint_uri = cells.text("endpoint_uri");
  step.resolved_endpoint_uri = cells.text("resolved_endpoint_uri");
  step.error_message = cells.text("error_message");
  step.error_stack_trace = cells.text("error_stack_trace");
  step.message = cells.message();
  step.attributes = cells.map("attributes");
  if (const auto flag = cells.optional<int>("filter_matched")) step.filter_matched = *flag != 0;
  if (const auto flag = cells.optional<int>("duplicate_message")) step.duplicate_message = *flag != 0;
  step.circuit_breaker_state = cells.text("circuit_breaker_state");
  step.truncated = cells.names("truncated");
  return step;
}

}  // namespace cameleer::server
