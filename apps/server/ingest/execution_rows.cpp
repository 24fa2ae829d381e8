#include "server/ingest/execution_rows.hpp"

#include <algorithm>

#include "server/ingest/execution_columns.hpp"
#include "server/ingest/row_writer.hpp"

namespace cameleer::server {
namespace {

using Integers = clickhouse::Numbers<std::int64_t>;
using Indexes = clickhouse::Numbers<std::int32_t>;

// A number that was not given is -1.
template <class Number>
Number& optional_number(Number& column) {
  column.set_default(-1);
  return column;
}
Integers& optional_integers(clickhouse::Block& block, std::string_view name) {
  return optional_number(block.numbers<std::int64_t>(name));
}
Indexes& optional_indexes(clickhouse::Block& block, std::string_view name) {
  return optional_number(block.numbers<std::int32_t>(name));
}

// Texts that are mostly there or mostly not, and are never cut.
template <class Column>
void put_given(Column& column, std::size_t row, std::string_view value) {
  if (!value.empty()) put(column, row, value);
}

}  // namespace

RecordColumns::RecordColumns(clickhouse::Block& block, const DecodeRules& rules, const DecodeContext& context)
    : tenant_(rules.tenant),
      environment_(context.environment),
      tenant_id(block.names("tenant_id")),
      environment(block.names("environment")),
      application(block.names("application")),
      instance_id(block.names("instance_id")),
      route_id(block.names("route_id")),
      status(block.names("status")),
      execution_id(block.texts("execution_id")),
      start_time(block.numbers<std::int64_t>("start_time")),
      duration_ms(optional_integers(block, "duration_ms")),
      error_message(block.texts("error_message")),
      error_stack_trace(block.texts("error_stack_trace")),
      input_body(block.texts("input_body")),
      output_body(block.texts("output_body")),
      input_body_size(optional_integers(block, "input_body_size")),
      output_body_size(optional_integers(block, "output_body_size")),
      input_headers(block.lists("input_headers")),
      output_headers(block.lists("output_headers")),
      attributes(block.lists("attributes")),
      truncated(block.lists("truncated")),
      version(block.numbers<std::uint64_t>("version")) {}

void RecordColumns::message(const MessageView& message, const MapView& more, std::string_view error,
                            std::string_view stack, std::size_t row, StoredTexts& texts) {
  texts.text("errorMessage", error, row, error_message);
  texts.text("errorStackTrace", stack, row, error_stack_trace);
  texts.body("inputBody", message.input_body, row, input_body, input_body_size);
  texts.body("outputBody", message.output_body, row, output_body, output_body_size);
  texts.map("inputHeaders", message.input_headers, row, input_headers);
  texts.map("outputHeaders", message.output_headers, row, output_headers);
  texts.map("attributes", more, row, attributes);
}

ExecutionColumns::ExecutionColumns(clickhouse::Block& block, const DecodeRules& rules, const DecodeContext& context)
    : RecordColumns(block, rules, context),
      end_time_(block.numbers<std::int64_t>("end_time")),
      correlation_id_(block.texts("correlation_id")),
      exchange_id_(block.texts("exchange_id")),
      parent_execution_id_(block.texts("parent_execution_id")),
      replay_of_(block.texts("replay_of")),
      from_endpoint_(block.names("from_endpoint")),
      engine_level_(block.names("engine_level")),
      diagram_hash_(block.names("diagram_hash")),
      failed_processor_id_(block.names("failed_processor_id")),
      failed_processor_type_(block.names("failed_processor_type")),
      processor_count_(block.numbers<std::uint32_t>("processor_count")) {}

void ExecutionColumns::add(const ExecutionReader& read, const RowOwner& owner, std::uint32_t processors,
                           StoredTexts& texts) {
  const auto row = rows();
  const auto& execution = read.execution();
  tenant_id.add(tenant_);
  environment.add(environment_);
  application.add(owner.application);
  instance_id.add(owner.instance_id);
  route_id.add(execution.route_id);
  status.add(execution.status);
  execution_id.add(execution.execution_id);
  put(start_time, row, *execution.start_time);
  if (execution.end_time) put(end_time_, row, *execution.end_time);
  put(duration_ms, row, execution.duration_ms);
  put_given(correlation_id_, row, execution.correlation_id);
  put_given(exchange_id_, row, execution.exchange_id);
  put_given(parent_execution_id_, row, execution.parent_execution_id);
  put_given(replay_of_, row, execution.replay_of);
  put_given(engine_level_, row, execution.engine_level);
  put_given(diagram_hash_, row, execution.diagram_hash);
  processor_count_.add(processors);
  if (const auto* failing = execution.status == status::failed ? read.failing_step() : nullptr) {
    put(failed_processor_id_, row, failing->processor_id);
    put(failed_processor_type_, row, failing->processor_type);
  }
  message(execution.message, execution.attributes, execution.error_message, execution.error_stack_trace, row, texts);
  texts.text("fromEndpoint", execution.from_endpoint, row, from_endpoint_);
  texts.end_row(row, truncated);
  version.add(owner.version);
}

ProcessorColumns::ProcessorColumns(clickhouse::Block& block, const DecodeRules& rules, const DecodeContext& context)
    : RecordColumns(block, rules, context),
      seq_(block.numbers<std::uint32_t>("seq")),
      parent_seq_(optional_integers(block, "parent_seq")),
      processor_start_time_(block.numbers<std::int64_t>("processor_start_time")),
      processor_id_(block.names("processor_id")),
      processor_type_(block.names("processor_type")),
      endpoint_uri_(block.names("endpoint_uri")),
      circuit_breaker_state_(block.names("circuit_breaker_state")),
      iteration_(optional_indexes(block, "iteration")),
      iteration_size_(optional_indexes(block, "iteration_size")),
      loop_index_(optional_indexes(block, "loop_index")),
      split_index_(optional_indexes(block, "split_index")),
      multicast_index_(optional_indexes(block, "multicast_index")),
      filter_matched_(optional_indexes(block, "filter_matched")),
      duplicate_message_(optional_indexes(block, "duplicate_message")),
      resolved_endpoint_uri_(block.texts("resolved_endpoint_uri")) {}

void ProcessorColumns::add(const ExecutionReader& read, const RowOwner& owner, StoredTexts& texts) {
  const auto& execution = read.execution();
  const auto count = read.steps().size();
  auto row = rows();
  // The same in all of them.
  tenant_id.add(tenant_, count);
  environment.add(environment_, count);
  application.add(owner.application, count);
  instance_id.add(owner.instance_id, count);
  route_id.add(execution.route_id, count);
  execution_id.add(execution.execution_id, count);
  start_time.add(milliseconds_of(*execution.start_time), count);
  version.add(owner.version, count);
  for (const auto& step : read.steps()) add_step(step, row++, texts);
}

void ProcessorColumns::add_step(const StepView& step, std::size_t row, StoredTexts& texts) {
  seq_.add(step.seq);
  if (step.parent_seq) put(parent_seq_, row, std::int64_t{*step.parent_seq});
  processor_id_.add(step.processor_id);
  processor_type_.add(step.processor_type);
  status.add(step.status);
  processor_start_time_.add(milliseconds_of(*step.start_time));
  put(duration_ms, row, step.duration_ms);
  put(iteration_, row, step.iteration);
  put(iteration_size_, row, step.iteration_size);
  put(loop_index_, row, step.loop_index);
  put(split_index_, row, step.split_index);
  put(multicast_index_, row, step.multicast_index);
  put(filter_matched_, row, step.filter_matched);
  put(duplicate_message_, row, step.duplicate_message);
  put_given(circuit_breaker_state_, row, step.circuit_breaker_state);
  message(step.message, step.attributes, step.error_message, step.error_stack_trace, row, texts);
  texts.text("endpointUri", step.endpoint_uri, row, endpoint_uri_);
  texts.text("resolvedEndpointUri", step.resolved_endpoint_uri, row, resolved_endpoint_uri_);
  texts.end_row(row, truncated);
}

ExecutionRows::ExecutionRows(const DecodeRules& rules, const DecodeContext& context)
    : context_(context),
      texts_(rules.sensitive_keys, rules.body_bytes),
      execution_block_(block_of(execution_columns())),
      processor_block_(block_of(processor_columns())),
      executions_(execution_block_, rules, context),
      processors_(processor_block_, rules, context) {}

void ExecutionRows::add(const ExecutionReader& read, std::optional<std::uint32_t> chunk_seq, DecodedRequest& into) {
  const auto& execution = read.execution();
  const RowOwner owner{
      .application = execution.application.empty() ? std::string_view(context_.application) : execution.application,
      .instance_id = execution.instance_id.empty() ? std::string_view(context_.agent_id) : execution.instance_id,
      .version = execution_version(execution.status, chunk_seq.value_or(1), context_.now)};
  const auto count = chunk_seq ? unknown_processor_count : static_cast<std::uint32_t>(read.steps().size());
  executions_.add(read, owner, count, texts_);
  processors_.add(read, owner, texts_);
  const auto seen = std::min(*execution.start_time, context_.now);
  into.routes.note(owner.application, execution.route_id, seen, seen);
  ++into.accepted;
}

void ExecutionRows::finish(DecodedRequest& into) {
  auto& parts = into.rows.parts;
  const auto store = [&parts](std::string_view table, std::span<const Column> columns, clickhouse::Block& block) {
    if (block.rows() == 0) return;
    block.pad(block.rows());
    parts.push_back(part_of(table, columns, block));
  };
  store("processor_executions", processor_columns(), processor_block_);
  store("executions", execution_columns(), execution_block_);
}

}  // namespace cameleer::server
