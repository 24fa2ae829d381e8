#include "server/ingest/execution_records.hpp"

#include "server/ingest/decode_rules.hpp"
#include "server/ingest/execution_reader.hpp"
#include "server/ingest/json_records.hpp"

namespace cameleer::server {
namespace {

StringMap record_of(const MapView& view) {
  StringMap map;
  view.each([&map](std::string_view name, std::string_view value) { return map.emplace_back(name, value), true; });
  return map;
}

std::optional<Body> body_of(std::string_view text) {
  if (text.data() == nullptr) return std::nullopt;
  return Body{std::string(text), text.size()};
}

Message record_of(const MessageView& view) {
  return {body_of(view.input_body), body_of(view.output_body), record_of(view.input_headers),
          record_of(view.output_headers)};
}

ProcessorExecution record_of(const StepView& view) {
  ProcessorExecution step;
  step.seq = view.seq;
  step.parent_seq = view.parent_seq;
  step.processor_id = view.processor_id;
  step.processor_type = view.processor_type;
  step.status = view.status;
  step.start_time = *view.start_time;
  step.duration_ms = view.duration_ms;
  step.iteration = view.iteration;
  step.iteration_size = view.iteration_size;
  step.loop_index = view.loop_index;
  step.split_index = view.split_index;
  step.multicast_index = view.multicast_index;
  step.endpoint_uri = view.endpoint_uri;
  step.resolved_endpoint_uri = view.resolved_endpoint_uri;
  step.error_message = view.error_message;
  step.error_stack_trace = view.error_stack_trace;
  step.message = record_of(view.message);
  step.attributes = record_of(view.attributes);
  step.filter_matched = view.filter_matched;
  step.duplicate_message = view.duplicate_message;
  step.circuit_breaker_state = view.circuit_breaker_state;
  return step;
}

Execution record_of(const ExecutionReader& read) {
  const auto& view = read.execution();
  Execution execution;
  execution.execution_id = view.execution_id;
  execution.correlation_id = view.correlation_id;
  execution.exchange_id = view.exchange_id;
  execution.route_id = view.route_id;
  execution.application = view.application;
  execution.instance_id = view.instance_id;
  execution.status = view.status;
  execution.start_time = *view.start_time;
  execution.end_time = view.end_time;
  execution.duration_ms = view.duration_ms;
  execution.error_message = view.error_message;
  execution.error_stack_trace = view.error_stack_trace;
  execution.message = record_of(view.message);
  execution.attributes = record_of(view.attributes);
  execution.parent_execution_id = view.parent_execution_id;
  execution.from_endpoint = view.from_endpoint;
  execution.engine_level = view.engine_level;
  execution.diagram_hash = view.diagram_hash;
  execution.replay_of = view.replay_of;
  for (const auto& step : read.steps()) execution.processors.push_back(record_of(step));
  return execution;
}

}  // namespace

Expected<std::vector<Execution>> read_executions(std::string& body) {
  std::vector<Execution> all;
  ExecutionReader reader;
  auto read = for_each_element(body, DecodeRules::max_elements,
                               [&](JsonMembers& members, std::size_t, JsonMembers::Element element) {
                                 if (!reader.read(members, element)) return false;
                                 all.push_back(record_of(reader));
                                 return true;
                               });
  if (!read) return std::unexpected(std::move(read.error()));
  return all;
}

}  // namespace cameleer::server
