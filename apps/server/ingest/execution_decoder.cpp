#include "server/ingest/execution_decoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cameleer/core/json_members.hpp>
#include <cameleer/core/processor_tree.hpp>

#include "server/ingest/execution_columns.hpp"

namespace cameleer::server {
namespace {

namespace dom = simdjson::dom;
using Members = JsonMembers;
using Element = Members::Element;
using Name = std::string_view;

constexpr auto kId = DecodeRules::max_id_characters;
constexpr auto kEntries = DecodeRules::max_map_entries;

// What a record gathers while it is read.
struct StepDraft {
  ProcessorExecution step;
  std::optional<Instant> start_time;
  std::optional<std::uint32_t> seq;
  std::optional<dom::array> children;
};

struct ExecutionDraft {
  Execution execution;
  std::optional<Instant> start_time;
  std::optional<dom::array> processors;
};

bool read_list(Members& m, Name name, Element value, std::optional<dom::array>& into) {
  dom::array list;
  if (value.is_null()) return true;
  if (value.get(list) != simdjson::SUCCESS) return m.refuse(name, "must be an array");
  into = list;
  return true;
}

// clang-format off
#define READ(record, call) [](Members& m, Name n, Element v, record& d) { return m.call; }

constexpr MemberRule<StepDraft> kStepRules[] = {
    {"processorId", READ(StepDraft, name(n, v, d.step.processor_id, kId))},
    {"processorType", READ(StepDraft, name(n, v, d.step.processor_type, 128))},
    {"seq", READ(StepDraft, sequence(n, v, d.seq))},
    {"parentSeq", READ(StepDraft, sequence(n, v, d.step.parent_seq))},
    {"status", READ(StepDraft, name(n, v, d.step.status, 32))},
    {"startTime", READ(StepDraft, instant(n, v, d.start_time))},
    {"durationMs", READ(StepDraft, milliseconds(n, v, d.step.duration_ms))},
    {"iteration", READ(StepDraft, index(n, v, d.step.iteration))},
    {"iterationSize", READ(StepDraft, index(n, v, d.step.iteration_size))},
    {"loopIndex", READ(StepDraft, index(n, v, d.step.loop_index))},
    {"splitIndex", READ(StepDraft, index(n, v, d.step.split_index))},
    {"multicastIndex", READ(StepDraft, index(n, v, d.step.multicast_index))},
    {"endpointUri", READ(StepDraft, text(n, v, d.step.endpoint_uri))},
    {"resolvedEndpointUri", READ(StepDraft, text(n, v, d.step.resolved_endpoint_uri))},
    {"errorMessage", READ(StepDraft, text(n, v, d.step.error_message))},
    {"errorStackTrace", READ(StepDraft, text(n, v, d.step.error_stack_trace))},
    {"inputBody", READ(StepDraft, body(n, v, d.step.message.input_body))},
    {"inputHeaders", READ(StepDraft, map(n, v, d.step.message.input_headers, kEntries))},
    {"outputBody", READ(StepDraft, body(n, v, d.step.message.output_body))},
    {"outputHeaders", READ(StepDraft, map(n, v, d.step.message.output_headers, kEntries))},
    {"attributes", READ(StepDraft, map(n, v, d.step.attributes, kEntries))},
    {"filterMatched", READ(StepDraft, boolean(n, v, d.step.filter_matched))},
    {"duplicateMessage", READ(StepDraft, boolean(n, v, d.step.duplicate_message))},
    {"circuitBreakerState", READ(StepDraft, name(n, v, d.step.circuit_breaker_state, 32))},
    {"children", [](Members& m, Name n, Element v, StepDraft& d) { return read_list(m, n, v, d.children); }},
};

constexpr MemberRule<ExecutionDraft> kExecutionRules[] = {
    {"executionId", READ(ExecutionDraft, name(n, v, d.execution.execution_id, kId))},
    {"correlationId", READ(ExecutionDraft, name(n, v, d.execution.correlation_id, kId))},
    {"exchangeId", READ(ExecutionDraft, name(n, v, d.execution.exchange_id, kId))},
    {"routeId", READ(ExecutionDraft, name(n, v, d.execution.route_id, kId))},
    {"application", READ(ExecutionDraft, name(n, v, d.execution.application, kId))},
    {"instanceId", READ(ExecutionDraft, name(n, v, d.execution.instance_id, kId))},
    {"status", READ(ExecutionDraft, name(n, v, d.execution.status, 32))},
    {"startTime", READ(ExecutionDraft, instant(n, v, d.start_time))},
    {"endTime", READ(ExecutionDraft, instant(n, v, d.execution.end_time))},
    {"durationMs", READ(ExecutionDraft, milliseconds(n, v, d.execution.duration_ms))},
    {"errorMessage", READ(ExecutionDraft, text(n, v, d.execution.error_message))},
    {"errorStackTrace", READ(ExecutionDraft, text(n, v, d.execution.error_stack_trace))},
    {"inputBody", READ(ExecutionDraft, body(n, v, d.execution.message.input_body))},
    {"inputHeaders", READ(ExecutionDraft, map(n, v, d.execution.message.input_headers, kEntries))},
    {"outputBody", READ(ExecutionDraft, body(n, v, d.execution.message.output_body))},
    {"outputHeaders", READ(ExecutionDraft, map(n, v, d.execution.message.output_headers, kEntries))},
    {"attributes", READ(ExecutionDraft, map(n, v, d.execution.attributes, kEntries))},
    {"parentExecutionId", READ(ExecutionDraft, name(n, v, d.execution.parent_execution_id, kId))},
    {"fromEndpoint", READ(ExecutionDraft, text(n, v, d.execution.from_endpoint))},
    {"engineLevel", READ(ExecutionDraft, name(n, v, d.execution.engine_level, 32))},
    {"diagramHash", READ(ExecutionDraft, name(n, v, d.execution.diagram_hash, 128))},
    {"replayOf", READ(ExecutionDraft, name(n, v, d.execution.replay_of, kId))},
    {"processorExecutions", [](Members& m, Name n, Element v, ExecutionDraft& d) { return read_list(m, n, v, d.processors); }},
};
#undef READ
// clang-format on

bool require(Members& members, std::initializer_list<std::pair<Name, bool>> given) {
  for (const auto& [name, present] : given) {
    if (!present) return members.refuse(name, "is required and must not be empty");
  }
  return true;
}

// Reads steps, nested or flat, into one flat list.
class StepReader {
 public:
  StepReader(Members& members, std::vector<ProcessorExecution>& into) : members_(members), into_(into) {}

  bool read(dom::array list, std::optional<std::uint32_t> parent) {
    std::size_t index = 0;
    for (const auto value : list) {
      members_.enter(index++);
      if (!read_one(value, parent)) return false;
      members_.leave();
    }
    return true;
  }
  [[nodiscard]] bool nested() const { return nested_; }

 private:
  bool read_one(Element value, std::optional<std::uint32_t> parent) {
    dom::object object;
    if (value.get(object) != simdjson::SUCCESS) return members_.refuse({}, "must be an object");
    if (into_.size() == DecodeRules::max_processors) {
      return members_.refuse(
          {}, fmt::format("is one processor too many: an execution has at most {}", DecodeRules::max_processors));
    }
    StepDraft draft;
    if (!read_members<StepDraft>(members_, object, kStepRules, draft)) return false;
    auto& step = draft.step;
    if (!require(members_, {{"processorId", !step.processor_id.empty()},
                            {"processorType", !step.processor_type.empty()},
                            {"status", !step.status.empty()},
                            {"startTime", draft.start_time.has_value()}})) {
      return false;
    }
    step.start_time = *draft.start_time;
    const auto position = static_cast<std::uint32_t>(into_.size());
    step.seq = draft.seq.value_or(position);
    if (parent) step.parent_seq = parent;
    own_parents_.push_back(parent);
    into_.push_back(std::move(step));
    if (!draft.children) return true;
    if (draft.children->begin() != draft.children->end()) nested_ = true;
    members_.enter("children");
    const bool read_all = read(*draft.children, position);
    if (read_all) members_.leave();
    return read_all;
  }

  Members& members_;
  std::vector<ProcessorExecution>& into_;
  bool nested_ = false;

 public:
  /// In a nested tree the places say all: numbers and parents that were sent do not count.
  void number_by_place() {
    for (std::size_t i = 0; i < into_.size(); ++i) {
      into_[i].seq = static_cast<std::uint32_t>(i);
      into_[i].parent_seq = own_parents_[i];
    }
  }

 private:
  std::vector<std::optional<std::uint32_t>> own_parents_;
};

bool read_execution(Members& members, Element value, Execution& into) {
  dom::object object;
  if (value.get(object) != simdjson::SUCCESS) return members.refuse({}, "must be an object");
  ExecutionDraft draft;
  if (!read_members<ExecutionDraft>(members, object, kExecutionRules, draft)) return false;
  auto& execution = draft.execution;
  if (!require(members, {{"executionId", !execution.execution_id.empty()},
                         {"exchangeId", !execution.exchange_id.empty()},
                         {"routeId", !execution.route_id.empty()},
                         {"status", !execution.status.empty()},
                         {"startTime", draft.start_time.has_value()}})) {
    return false;
  }
  execution.start_time = *draft.start_time;
  if (draft.processors) {
    members.enter("processorExecutions");
    StepReader steps(members, execution.processors);
    if (!steps.read(*draft.processors, std::nullopt)) return false;
    members.leave();
    if (steps.nested())
      steps.number_by_place();
    else
      settle_sequence(execution.processors);
  }
  complete_times(execution);
  into = std::move(execution);
  return true;
}

void cut_text(std::string& text, std::size_t most, std::string_view member, std::vector<std::string>& truncated) {
  if (text.size() <= most) return;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  text.resize(most);
  truncated.emplace_back(member);
}

void cut_map(StringMap& map, std::size_t most, std::string_view member, std::vector<std::string>& truncated) {
  std::size_t used = 0;
  for (auto entry = map.begin(); entry != map.end(); ++entry) {
    used += entry->first.size() + entry->second.size();
    if (used <= most) continue;
    map.erase(entry, map.end());
    truncated.emplace_back(member);
    return;
  }
}

void cut_message(Message& message, std::size_t most, std::vector<std::string>& truncated) {
  if (message.input_body) cut_text(message.input_body->text, most, "inputBody", truncated);
  if (message.output_body) cut_text(message.output_body->text, most, "outputBody", truncated);
  cut_map(message.input_headers, most, "inputHeaders", truncated);
  cut_map(message.output_headers, most, "outputHeaders", truncated);
}

template <class Record>
void cut_record(Record& record, std::size_t most) {
  cut_text(record.error_message, most, "errorMessage", record.truncated);
  cut_text(record.error_stack_trace, most, "errorStackTrace", record.truncated);
  cut_message(record.message, most, record.truncated);
  cut_map(record.attributes, most, "attributes", record.truncated);
}

void mask_and_cut(Execution& execution, Masker& masker, std::size_t most) {
  masker.mask(execution);
  cut_record(execution, most);
  cut_text(execution.from_endpoint, most, "fromEndpoint", execution.truncated);
  for (auto& step : execution.processors) {
    masker.mask(step);
    cut_record(step, most);
    cut_text(step.endpoint_uri, most, "endpointUri", step.truncated);
    cut_text(step.resolved_endpoint_uri, most, "resolvedEndpointUri", step.truncated);
  }
}

Error malformed(simdjson::error_code code) {
  switch (code) {
    case simdjson::EMPTY:
      return {ErrorCode::malformed_body, "The body is empty."};
    case simdjson::UTF8_ERROR:
      return {ErrorCode::malformed_body, "The body is not valid UTF-8."};
    case simdjson::DEPTH_ERROR:
      return {ErrorCode::malformed_body,
              fmt::format("The body is nested deeper than {} levels.", DecodeRules::max_depth)};
    case simdjson::MEMALLOC:
    case simdjson::CAPACITY:
      return {ErrorCode::overloaded, "There is no memory for this body now."};
    default:
      return {ErrorCode::malformed_body, "The body is not valid JSON."};
  }
}

// Gives each element to `take(index, execution)`.
template <class Take>
Expected<void> for_each_execution(std::string& body, Take take) {
  // The tree form, not on-demand: it checks the syntax of every byte, skipped members included.
  dom::parser parser;
  if (auto code = parser.allocate(std::max<std::size_t>(body.size(), 64), DecodeRules::max_depth);
      code != simdjson::SUCCESS) {
    return std::unexpected(malformed(code));
  }
  body.reserve(body.size() + simdjson::SIMDJSON_PADDING);
  Element root;
  if (auto code = parser.parse(body.data(), body.size(), false).get(root); code != simdjson::SUCCESS) {
    return std::unexpected(malformed(code));
  }
  Members members;
  if (root.is_object()) {
    Execution execution;
    if (!read_execution(members, root, execution)) return std::unexpected(*members.error);
    take(std::size_t{0}, execution);
    return {};
  }
  dom::array list;
  if (root.get(list) != simdjson::SUCCESS) {
    members.refuse({}, "must be an object or an array of objects");
    return std::unexpected(*members.error);
  }
  std::size_t index = 0;
  for (const auto value : list) {
    if (index == DecodeRules::max_elements) {
      members.refuse({}, fmt::format("must have at most {} elements", DecodeRules::max_elements));
      return std::unexpected(*members.error);
    }
    members.enter(index);
    Execution execution;
    if (!read_execution(members, value, execution)) return std::unexpected(*members.error);
    members.leave();
    take(index++, execution);
  }
  return {};
}

std::vector<clickhouse::Block::Column> copy(std::span<const clickhouse::Block::Column> columns) {
  return {columns.begin(), columns.end()};
}

}  // namespace

Expected<DecodedRequest> decode_executions(std::string body, const DecodeRules& rules, const DecodeContext& context) {
  DecodedRequest request;
  clickhouse::Block executions(copy(execution_columns())), processors(copy(processor_columns()));
  const RowOrigin origin{rules.tenant, context.environment, context.now};
  Masker masker(rules.sensitive_keys);
  auto read = for_each_execution(body, [&](std::size_t index, Execution& execution) {
    if (execution.start_time < context.oldest || execution.start_time > context.newest) {
      request.rejected.push_back({index, execution.start_time < context.oldest ? "too_old" : "in_future"});
      return;
    }
    if (execution.application.empty()) execution.application = context.application;
    if (execution.instance_id.empty()) execution.instance_id = context.agent_id;
    mask_and_cut(execution, masker, rules.body_bytes);
    append_rows(execution, origin, executions, processors);
    ++request.accepted;
  });
  if (!read) return std::unexpected(std::move(read.error()));
  request.rows.rows = executions.rows() + processors.rows();
  if (executions.rows() > 0) request.rows.executions = executions.encode_native();
  if (processors.rows() > 0) request.rows.processors = processors.encode_native();
  return request;
}

Expected<std::vector<Execution>> read_executions(std::string& body) {
  std::vector<Execution> all;
  auto read = for_each_execution(body, [&](std::size_t, Execution& execution) { all.push_back(std::move(execution)); });
  if (!read) return std::unexpected(std::move(read.error()));
  return all;
}

}  // namespace cameleer::server
