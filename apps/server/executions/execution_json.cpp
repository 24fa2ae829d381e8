#include "server/executions/execution_json.hpp"

#include <cameleer/core/json_writer.hpp>
#include <cameleer/core/processor_tree.hpp>

namespace cameleer::server {
namespace {

class Members {
 public:
  explicit Members(JsonWriter& json) : json_(json) {}
  const Members& text(std::string_view name, std::string_view value) const {
    if (!value.empty()) json_.key(name).text(value);
    return *this;
  }
  const Members& always(std::string_view name, std::string_view value) const {
    json_.key(name).text(value);
    return *this;
  }
  template <class Number>
  const Members& number(std::string_view name, const std::optional<Number>& value) const {
    if (value) json_.key(name).number(static_cast<std::int64_t>(*value));
    return *this;
  }
  const Members& flag(std::string_view name, const std::optional<bool>& value) const {
    if (value) json_.key(name).boolean(*value);
    return *this;
  }
  const Members& instant(std::string_view name, Instant value) const { return always(name, format_instant(value)); }
  const Members& map(std::string_view name, const StringMap& value) const {
    json_.key(name).begin_object();
    for (const auto& [key, text] : value) json_.key(key).text(text);
    json_.end_object();
    return *this;
  }
  const Members& names(std::string_view name, const std::vector<std::string>& values) const {
    json_.key(name).begin_array();
    for (const auto& value : values) json_.text(value);
    json_.end_array();
    return *this;
  }
  const Members& message(const Message& value, bool with_sizes) const {
    side("inputBody", "inputBodySize", value.input_body, "inputHeaders", value.input_headers, with_sizes);
    return side("outputBody", "outputBodySize", value.output_body, "outputHeaders", value.output_headers, with_sizes);
  }

 private:
  const Members& side(std::string_view body_name, std::string_view size_name, const std::optional<Body>& body,
                      std::string_view headers_name, const StringMap& headers, bool with_sizes) const {
    if (body) always(body_name, body->text);
    if (body && with_sizes) number(size_name, std::optional(body->size));
    if (!headers.empty()) map(headers_name, headers);
    return *this;
  }
  JsonWriter& json_;
};

void write_summary_members(JsonWriter& json, const ExecutionRow& row) {
  const auto& execution = row.execution;
  Members(json)
      .always("executionId", execution.execution_id)
      .always("environment", row.environment)
      .always("application", execution.application)
      .always("instanceId", execution.instance_id)
      .always("routeId", execution.route_id)
      .always("exchangeId", execution.exchange_id)
      .text("correlationId", execution.correlation_id)
      .text("parentExecutionId", execution.parent_execution_id)
      .text("replayOf", execution.replay_of)
      .always("status", execution.status)
      .instant("startTime", execution.start_time);
  if (execution.end_time) Members(json).instant("endTime", *execution.end_time);
  Members(json)
      .number("durationMs", execution.duration_ms)
      .text("errorMessage", execution.error_message)
      .text("failedProcessorId", row.failed_processor_id)
      .text("failedProcessorType", row.failed_processor_type)
      .number("processorCount", std::optional(row.processor_count))
      .map("attributes", execution.attributes);
}

void write_summaries(JsonWriter& json, std::string_view name, const std::vector<ExecutionRow>& rows) {
  json.key(name).begin_array();
  for (const auto& row : rows) {
    json.begin_object();
    write_summary_members(json, row);
    json.end_object();
  }
  json.end_array();
}

void write_step_members(JsonWriter& json, const ProcessorExecution& step) {
  Members(json)
      .number("seq", std::optional(step.seq))
      .number("parentSeq", step.parent_seq)
      .always("processorId", step.processor_id)
      .always("processorType", step.processor_type)
      .always("status", step.status)
      .instant("startTime", step.start_time)
      .number("durationMs", step.duration_ms)
      .number("iteration", step.iteration)
      .number("iterationSize", step.iteration_size)
      .number("loopIndex", step.loop_index)
      .number("splitIndex", step.split_index)
      .number("multicastIndex", step.multicast_index)
      .text("endpointUri", step.endpoint_uri)
      .text("resolvedEndpointUri", step.resolved_endpoint_uri)
      .text("errorMessage", step.error_message)
      .text("errorStackTrace", step.error_stack_trace)
      .message(step.message, false)
      .map("attributes", step.attributes)
      .flag("filterMatched", step.filter_matched)
      .flag("duplicateMessage", step.duplicate_message)
      .text("circuitBreakerState", step.circuit_breaker_state);
  if (!step.truncated.empty()) Members(json).names("truncated", step.truncated);
}

// In pre-order each record follows its parent or the end of a sibling, so counting open ones is all that is needed.
void write_tree(JsonWriter& json, std::span<const ProcessorExecution> steps) {
  const auto tree = build_processor_tree(steps);
  json.key("processors").begin_array();
  std::size_t open = 0;
  const auto close_to = [&](std::size_t depth) {
    for (; open > depth; --open) json.end_array().end_object();
  };
  for (const auto index : tree.pre_order) {
    close_to(tree.depth[index]);
    json.begin_object();
    write_step_members(json, steps[index]);
    json.key("children").begin_array();
    ++open;
  }
  close_to(0);
  json.end_array();
}

}  // namespace

std::string to_json(const ExecutionPage& page) {
  JsonWriter json;
  json.begin_object();
  write_summaries(json, "items", page.items);
  Members(json).text("nextCursor", page.next_cursor);
  json.key("total").number(static_cast<std::int64_t>(page.total));
  json.key("totalIsLowerBound").boolean(page.total_is_lower_bound);
  Members(json).instant("asOf", page.as_of).instant("from", page.from).instant("to", page.to);
  return json.end_object().take();
}

std::string to_json(const ExecutionDetail& detail) {
  const auto& execution = detail.row.execution;
  JsonWriter json;
  json.begin_object();
  write_summary_members(json, detail.row);
  Members(json)
      .text("fromEndpoint", execution.from_endpoint)
      .text("engineLevel", execution.engine_level)
      .text("diagramHash", execution.diagram_hash)
      .text("errorStackTrace", execution.error_stack_trace)
      .message(execution.message, true)
      .names("truncated", execution.truncated);
  write_tree(json, execution.processors);
  write_summaries(json, "correlated", detail.correlated);
  return json.end_object().take();
}

}  // namespace cameleer::server
