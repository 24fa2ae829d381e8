#include "server/ingest/execution_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
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
  StepView& step;
  InstantReader& instants;
  std::optional<std::uint32_t> seq = {};
  std::optional<dom::array> children = {};
};

struct ExecutionDraft {
  ExecutionView& execution;
  InstantReader& instants;
  std::optional<dom::array> processors = {};
};

// clang-format off
// NOLINTBEGIN(bugprone-macro-parentheses): the arguments are names
#define TEXT(record, field) [](Members& m, Name n, Element v, record& d) { return read_text(m, n, v, d.field); }
#define NAME(record, field, most) [](Members& m, Name n, Element v, record& d) { return read_name(m, n, v, d.field, most); }
#define MAP(record, field) [](Members& m, Name n, Element v, record& d) { return read_map(m, n, v, kEntries, d.field); }
#define TIME(record, field) [](Members& m, Name n, Element v, record& d) { return d.instants.read(m, n, v, d.field); }
#define NUMBER(record, kind, field) [](Members& m, Name n, Element v, record& d) { return m.kind(n, v, d.field); }
// NOLINTEND(bugprone-macro-parentheses)

constexpr MemberRule<StepDraft> kStepRules[] = {
    {"processorId", NAME(StepDraft, step.processor_id, kId)},
    {"processorType", NAME(StepDraft, step.processor_type, 128)},
    {"seq", NUMBER(StepDraft, sequence, seq)},
    {"parentSeq", NUMBER(StepDraft, sequence, step.parent_seq)},
    {"status", NAME(StepDraft, step.status, 32)},
    {"startTime", TIME(StepDraft, step.start_time)},
    {"durationMs", NUMBER(StepDraft, milliseconds, step.duration_ms)},
    {"iteration", NUMBER(StepDraft, index, step.iteration)},
    {"iterationSize", NUMBER(StepDraft, index, step.iteration_size)},
    {"loopIndex", NUMBER(StepDraft, index, step.loop_index)},
    {"splitIndex", NUMBER(StepDraft, index, step.split_index)},
    {"multicastIndex", NUMBER(StepDraft, index, step.multicast_index)},
    {"endpointUri", TEXT(StepDraft, step.endpoint_uri)},
    {"resolvedEndpointUri", TEXT(StepDraft, step.resolved_endpoint_uri)},
    {"errorMessage", TEXT(StepDraft, step.error_message)},
    {"errorStackTrace", TEXT(StepDraft, step.error_stack_trace)},
    {"inputBody", TEXT(StepDraft, step.message.input_body)},
    {"inputHeaders", MAP(StepDraft, step.message.input_headers)},
    {"outputBody", TEXT(StepDraft, step.message.output_body)},
    {"outputHeaders", MAP(StepDraft, step.message.output_headers)},
    {"attributes", MAP(StepDraft, step.attributes)},
    {"filterMatched", NUMBER(StepDraft, boolean, step.filter_matched)},
    {"duplicateMessage", NUMBER(StepDraft, boolean, step.duplicate_message)},
    {"circuitBreakerState", NAME(StepDraft, step.circuit_breaker_state, 32)},
    {"children", [](Members& m, Name n, Element v, StepDraft& d) { return read_list(m, n, v, d.children); }},
};

constexpr MemberRule<ExecutionDraft> kExecutionRules[] = {
    {"executionId", NAME(ExecutionDraft, execution.execution_id, kId)},
    {"correlationId", NAME(ExecutionDraft, execution.correlation_id, kId)},
    {"exchangeId", NAME(ExecutionDraft, execution.exchange_id, kId)},
    {"routeId", NAME(ExecutionDraft, execution.route_id, kId)},
    {"application", NAME(ExecutionDraft, execution.application, kId)},
    {"instanceId", NAME(ExecutionDraft, execution.instance_id, kId)},
    {"status", NAME(ExecutionDraft, execution.status, 32)},
    {"startTime", TIME(ExecutionDraft, execution.start_time)},
    {"endTime", TIME(ExecutionDraft, execution.end_time)},
    {"durationMs", NUMBER(ExecutionDraft, milliseconds, execution.duration_ms)},
    {"errorMessage", TEXT(ExecutionDraft, execution.error_message)},
    {"errorStackTrace", TEXT(ExecutionDraft, execution.error_stack_trace)},
    {"inputBody", TEXT(ExecutionDraft, execution.message.input_body)},
    {"inputHeaders", MAP(ExecutionDraft, execution.message.input_headers)},
    {"outputBody", TEXT(ExecutionDraft, execution.message.output_body)},
    {"outputHeaders", MAP(ExecutionDraft, execution.message.output_headers)},
    {"attributes", MAP(ExecutionDraft, execution.attributes)},
    {"parentExecutionId", NAME(ExecutionDraft, execution.parent_execution_id, kId)},
    {"fromEndpoint", TEXT(ExecutionDraft, execution.from_endpoint)},
    {"engineLevel", NAME(ExecutionDraft, execution.engine_level, 32)},
    {"diagramHash", NAME(ExecutionDraft, execution.diagram_hash, 128)},
    {"replayOf", NAME(ExecutionDraft, execution.replay_of, kId)},
    {"processorExecutions", [](Members& m, Name n, Element v, ExecutionDraft& d) { return read_list(m, n, v, d.processors); }},
};
#undef TEXT
#undef NAME
#undef MAP
#undef TIME
#undef NUMBER
// clang-format on

constexpr MemberTable<StepDraft> kStepTable(kStepRules);
constexpr MemberTable<ExecutionDraft> kExecutionTable(kExecutionRules);

// Reads steps, nested or flat, into one flat list.
class StepListReader {
 public:
  /// Flat: records are numbered by their agent, each differently, and hold no children.
  enum class Form : std::uint8_t { any, flat };

  StepListReader(Members& members, InstantReader& instants, std::vector<StepView>& into, Form form)
      : members_(members), instants_(instants), into_(into), form_(form) {}

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
    const auto position = static_cast<std::uint32_t>(into_.size());
    StepDraft draft{into_.emplace_back(), instants_};
    if (!read_members(members_, object, kStepTable, draft)) return false;
    auto& step = draft.step;
    if (!require(members_, {{"processorId", !step.processor_id.empty()},
                            {"processorType", !step.processor_type.empty()},
                            {"status", !step.status.empty()},
                            {"startTime", step.start_time.has_value()}})) {
      return false;
    }
    if (form_ == Form::flat && !check_flat(draft)) return false;
    step.seq = draft.seq.value_or(position);
    if (parent) step.parent_seq = parent;
    if (form_ == Form::any) own_parents_.push_back(parent);
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
    return is_new(*draft.seq) || members_.refuse("seq", "must differ from the others of its part");
  }

  // Numbers mostly rise; only when one does not, all before it are looked at.
  bool is_new(std::uint32_t seq) {
    const auto before = std::span(into_).first(into_.size() - 1);
    if (numbers_.empty()) {
      if (before.empty() || seq > before.back().seq) return true;
      for (const auto& step : before) numbers_.insert(step.seq);
    }
    return numbers_.insert(seq).second;
  }

  Members& members_;
  InstantReader& instants_;
  std::vector<StepView>& into_;
  Form form_;
  std::unordered_set<std::uint32_t> numbers_;
  bool nested_ = false;
  std::vector<std::optional<std::uint32_t>> own_parents_;
};

// As much of the steps as their tree depends on.
std::vector<ProcessorExecution> places_of(std::span<const StepView> steps) {
  std::vector<ProcessorExecution> places(steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    places[i].seq = steps[i].seq;
    places[i].parent_seq = steps[i].parent_seq;
    places[i].status = steps[i].status;
  }
  return places;
}

bool rise(std::span<const StepView> steps) {
  return std::ranges::adjacent_find(steps, std::greater_equal<>(), &StepView::seq) == steps.end();
}

bool all_differ(std::span<const StepView> steps) {
  std::vector<std::uint32_t> numbers;
  numbers.reserve(steps.size());
  for (const auto& step : steps) numbers.push_back(step.seq);
  std::ranges::sort(numbers);
  return std::ranges::adjacent_find(numbers) == numbers.end();
}

}  // namespace

bool ExecutionReader::read_record(Members& members, Element value, std::optional<dom::array>& processors) {
  dom::object object;
  if (!read_object(members, value, object)) return false;
  execution_ = {};
  steps_.clear();
  ExecutionDraft draft{execution_, instants_};
  if (!read_members(members, object, kExecutionTable, draft)) return false;
  if (!require(members, {{"executionId", !execution_.execution_id.empty()},
                         {"exchangeId", !execution_.exchange_id.empty()},
                         {"routeId", !execution_.route_id.empty()},
                         {"status", !execution_.status.empty()},
                         {"startTime", execution_.start_time.has_value()}})) {
    return false;
  }
  settle_times();
  processors = draft.processors;
  return true;
}

void ExecutionReader::settle_times() {
  if (execution_.end_time && execution_.duration_ms) return;
  Execution times;
  times.status = execution_.status;
  times.start_time = *execution_.start_time;
  times.end_time = execution_.end_time;
  times.duration_ms = execution_.duration_ms;
  complete_times(times);
  execution_.end_time = times.end_time;
  execution_.duration_ms = times.duration_ms;
}

// As settle_sequence() of the core, for views.
void ExecutionReader::settle_sequence() {
  if (rise(steps_) || all_differ(steps_)) return;
  const auto tree = build_processor_tree(places_of(steps_));
  std::vector<std::uint32_t> number(steps_.size());
  for (std::size_t i = 0; i < steps_.size(); ++i) number[tree.pre_order[i]] = static_cast<std::uint32_t>(i);
  std::vector<StepView> sorted;
  sorted.reserve(steps_.size());
  for (const auto index : tree.pre_order) {
    auto& step = sorted.emplace_back(steps_[index]);
    step.seq = number[index];
    step.parent_seq.reset();
    if (tree.parent[index] != ProcessorTree::none) step.parent_seq = number[tree.parent[index]];
  }
  steps_ = std::move(sorted);
}

bool ExecutionReader::read(Members& members, Element value) {
  std::optional<dom::array> processors;
  if (!read_record(members, value, processors)) return false;
  if (!processors) return true;
  members.enter("processorExecutions");
  StepListReader steps(members, instants_, steps_, StepListReader::Form::any);
  if (!steps.read(*processors, std::nullopt)) return false;
  members.leave();
  if (steps.nested())
    steps.number_by_place();
  else
    settle_sequence();
  return true;
}

bool ExecutionReader::read_exchange(Members& members, Element value) {
  std::optional<dom::array> processors;
  if (!read_record(members, value, processors)) return false;
  if (processors && processors->size() > 0) {
    return members.refuse("processorExecutions", "must not be there: a part has its processors beside the exchange");
  }
  return true;
}

bool ExecutionReader::read_flat_steps(Members& members, dom::array list) {
  return StepListReader(members, instants_, steps_, StepListReader::Form::flat).read(list, std::nullopt);
}

const StepView* ExecutionReader::failing_step() const {
  if (std::ranges::find(steps_, status::failed, &StepView::status) == steps_.end()) return nullptr;
  const auto places = places_of(steps_);
  const auto* failing = find_failing_processor(places);
  return failing ? &steps_[static_cast<std::size_t>(failing - places.data())] : nullptr;
}

}  // namespace cameleer::server
