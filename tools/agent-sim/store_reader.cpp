#include "agent-sim/store_reader.hpp"

#include <algorithm>
#include <cameleer/clickhouse/named_cells.hpp>
#include <unordered_map>

namespace cameleer::sim {
namespace {

using clickhouse::NamedCells;
using clickhouse::Parameter;
using clickhouse::Row;
using Slice = std::unordered_map<std::string, Execution>;  // by id and start

constexpr std::chrono::seconds kSlice{2};
constexpr std::chrono::minutes kQueryTime{10};  // of a machine that is busy with the load's merges

constexpr std::string_view kExecutions =
    "SELECT execution_id, start_time, correlation_id, exchange_id, route_id, application, instance_id, status, "
    "end_time,"
    " duration_ms, error_message, error_stack_trace, input_body, input_body_size, input_headers, output_body,"
    " output_body_size, output_headers, attributes, parent_execution_id, from_endpoint, engine_level FROM executions";
constexpr std::string_view kSteps =
    "SELECT execution_id, start_time, seq, parent_seq, processor_id, processor_type, status, processor_start_time,"
    " duration_ms, split_index, endpoint_uri, error_message, error_stack_trace, input_body, input_body_size,"
    " input_headers, output_body, output_body_size, output_headers, attributes FROM processor_executions";
constexpr std::string_view kWhere =
    " FINAL WHERE start_time >= {from:DateTime64(3)} AND start_time < {to:DateTime64(3)}"
    " AND startsWith(instance_id, {agents:String})";

Message message_of(const NamedCells& cells) {
  Message message;
  if (const auto size = cells.given<std::uint64_t>("input_body_size"))
    message.input_body = Body{cells.text("input_body"), *size};
  if (const auto size = cells.given<std::uint64_t>("output_body_size"))
    message.output_body = Body{cells.text("output_body"), *size};
  message.input_headers = cells.map("input_headers");
  message.output_headers = cells.map("output_headers");
  return message;
}

Execution& execution_of(const NamedCells& cells, Slice& slice) {
  const auto start = cells.time("start_time");
  auto& execution = slice[cells.text("execution_id") + ':' + std::to_string(milliseconds_of(start))];
  execution.execution_id = cells.text("execution_id");
  execution.start_time = start;
  return execution;
}

void take_execution(const Row& row, Slice& slice) {
  const NamedCells cells(row);
  auto& execution = execution_of(cells, slice);
  execution.correlation_id = cells.text("correlation_id");
  execution.exchange_id = cells.text("exchange_id");
  execution.route_id = cells.text("route_id");
  execution.application = cells.text("application");
  execution.instance_id = cells.text("instance_id");
  execution.status = cells.text("status");
  if (const auto end = cells.time("end_time"); end != Instant{}) execution.end_time = end;
  execution.duration_ms = cells.given<std::int64_t>("duration_ms");
  execution.error_message = cells.text("error_message");
  execution.error_stack_trace = cells.text("error_stack_trace");
  execution.message = message_of(cells);
  execution.attributes = cells.map("attributes");
  execution.parent_execution_id = cells.text("parent_execution_id");
  execution.from_endpoint = cells.text("from_endpoint");
  execution.engine_level = cells.text("engine_level");
}

void take_step(const Row& row, Slice& slice) {
  const NamedCells cells(row);
  ProcessorExecution step;
  step.seq = static_cast<std::uint32_t>(cells.integer("seq"));
  step.parent_seq = cells.given<std::uint32_t>("parent_seq");
  step.processor_id = cells.text("processor_id");
  step.processor_type = cells.text("processor_type");
  step.status = cells.text("status");
  step.start_time = cells.time("processor_start_time");
  step.duration_ms = cells.given<std::int64_t>("duration_ms");
  step.split_index = cells.given<std::int32_t>("split_index");
  step.endpoint_uri = cells.text("endpoint_uri");
  step.error_message = cells.text("error_message");
  step.error_stack_trace = cells.text("error_stack_trace");
  step.message = message_of(cells);
  step.attributes = cells.map("attributes");
  execution_of(cells, slice).processors.push_back(std::move(step));
}

async::Task<Expected<void>> read_rows(clickhouse::Client& store, std::string_view select, std::string agents,
                                      Instant from, Instant to, void (*into)(const Row&, Slice&), Slice& slice) {
  clickhouse::Parameters parameters{Parameter::instant("from", milliseconds_of(from)),
                                    Parameter::instant("to", milliseconds_of(to)), Parameter::text("agents", agents)};
  std::function<bool(const Row&)> see = [into, &slice](const Row& row) {
    into(row, slice);
    return true;
  };
  auto read = co_await store.select(std::string(select).append(kWhere), std::move(parameters), std::move(see));
  if (read) co_return Expected<void>{};
  co_return fail(read.error().error.code, read.error().error.message + ' ' + read.error().text.substr(0, 300));
}

}  // namespace

async::Task<Expected<void>> read_store(async::Executor executor, StoreAccess access, std::string agents, Instant from,
                                       Instant to, std::function<void(const Execution&)> take) {
  clickhouse::Client store(executor, {.url = std::move(access.url),
                                      .user = std::move(access.user),
                                      .password = std::move(access.password),
                                      .database = std::move(access.database),
                                      .query_time = kQueryTime});
  for (auto begin = from; begin < to; begin += kSlice) {
    const auto end = std::min<Instant>(begin + kSlice, to);
    Slice slice;
    auto read = co_await read_rows(store, kExecutions, agents, begin, end, take_execution, slice);
    if (read) read = co_await read_rows(store, kSteps, agents, begin, end, take_step, slice);
    if (!read) co_return read;
    for (auto& [key, execution] : slice) {
      std::ranges::sort(execution.processors, {}, &ProcessorExecution::seq);
      take(execution);
    }
  }
  co_return Expected<void>{};
}

}  // namespace cameleer::sim
