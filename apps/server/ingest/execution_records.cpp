#include "server/ingest/execution_records.hpp"

#include <fmt/format.h>

#include <cameleer/core/processor_tree.hpp>
#include <unordered_set>

#include "server/ingest/decode_rules.hpp"
#include "server/ingest/json_records.hpp"

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

// clang-format off
// NOLINTNEXTLINE(bugprone-macro-parentheses): `call` is a call of a member function
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

// Reads steps, nested or flat, into one flat list.
class StepReader {
 public:
  /// Flat: records are numbered by their agent, each differently, and hold no children.
  enum class Form : std::uint8_t { any, flat };

  StepReader(Members& members, std::vector<ProcessorExecution>& into, Form form = Form::any)
      : members_(members), into_(into), form_(form) {}

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

  /// In a nested tree the places say all: numbers and parents that were sent do not count.
  void number_by_place() {
    for (std::size_t i = 0; i < into_.size(); ++i) {
      into_[i].seq = static_cast<std::uint32_t>(i);
      into_[i].parent_seq = own_parents_[i];
    }
  }

 private:
  bool read_one(Element value, std::optional<std::uint32_t> parent) {
    dom::object object;
    if (!read_object(members_, value, object)) return false;
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
    if (form_ == Form::flat && !check_flat(draft)) return false;
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

  bool check_flat(const StepDraft& draft) {
    if (draft.children && draft.children->size() > 0) {
      return members_.refuse("children", "must not be there: the processors of a part are flat records");
    }
    if (!draft.seq) return members_.refuse("seq", "is required in a part");
    if (!numbers_.insert(*draft.seq).second) return members_.refuse("seq", "must differ from the others of its part");
    return true;
  }

  Members& members_;
  std::vector<ProcessorExecution>& into_;
  Form form_;
  std::unordered_set<std::uint32_t> numbers_;
  bool nested_ = false;
  std::vector<std::optional<std::uint32_t>> own_parents_;
};

bool read_draft(Members& members, Element value, ExecutionDraft& draft) {
  dom::object object;
  if (!read_object(members, value, object)) return false;
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
  complete_times(execution);
  return true;
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

}  // namespace

bool read_execution(JsonMembers& members, JsonMembers::Element value, Execution& into) {
  ExecutionDraft draft;
  if (!read_draft(members, value, draft)) return false;
  into = std::move(draft.execution);
  if (!draft.processors) return true;
  members.enter("processorExecutions");
  StepReader steps(members, into.processors);
  if (!steps.read(*draft.processors, std::nullopt)) return false;
  members.leave();
  if (steps.nested())
    steps.number_by_place();
  else
    settle_sequence(into.processors);
  return true;
}

bool read_exchange(JsonMembers& members, JsonMembers::Element value, Execution& into) {
  ExecutionDraft draft;
  if (!read_draft(members, value, draft)) return false;
  if (draft.processors && draft.processors->size() > 0) {
    return members.refuse("processorExecutions", "must not be there: a part has its processors beside the exchange");
  }
  into = std::move(draft.execution);
  return true;
}

bool read_flat_steps(JsonMembers& members, simdjson::dom::array list, std::vector<ProcessorExecution>& into) {
  StepReader steps(members, into, StepReader::Form::flat);
  return steps.read(list, std::nullopt);
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

}  // namespace cameleer::server
