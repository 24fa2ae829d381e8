#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "agent-sim/check.hpp"

namespace cameleer::sim {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDepth = 1'100;

/// Members of one object. A member of a wrong kind counts as absent: the content's checksum tells.
class Members {
 public:
  explicit Members(const json::object& object) : object_(object) {}

  void text(std::string_view name, std::string& into) const {
    if (const auto* value = find(name); value && value->is_string()) into = text_of(*value);
  }
  template <class Number>
  void number(std::string_view name, std::optional<Number>& into) const {
    if (const auto* value = find(name); value && value->is_int64()) into = static_cast<Number>(value->get_int64());
  }
  void instant(std::string_view name, std::optional<Instant>& into) const {
    if (const auto* value = find(name); value && value->is_string()) into = parse_instant(text_of(*value));
  }
  void map(std::string_view name, StringMap& into) const {
    const auto* value = find(name);
    if (!value || !value->is_object()) return;
    for (const auto& member : value->get_object()) {
      if (member.value().is_string()) into.emplace_back(std::string(member.key()), text_of(member.value()));
    }
  }
  void message(Message& into) const {
    body("inputBody", into.input_body);
    body("outputBody", into.output_body);
    map("inputHeaders", into.input_headers);
    map("outputHeaders", into.output_headers);
  }
  [[nodiscard]] const json::array* list(std::string_view name) const {
    const auto* value = find(name);
    return value ? value->if_array() : nullptr;
  }

 private:
  [[nodiscard]] const json::value* find(std::string_view name) const {
    return object_.if_contains(json::string_view(name.data(), name.size()));
  }
  static std::string text_of(const json::value& value) {
    return {value.get_string().data(), value.get_string().size()};
  }
  void body(std::string_view name, std::optional<Body>& into) const {
    const auto* value = find(name);
    if (value && value->is_string()) into = Body{text_of(*value), value->get_string().size()};
  }
  const json::object& object_;
};

void read_steps(const json::array& list, std::vector<ProcessorExecution>& into) {
  for (const auto& value : list) {
    if (!value.is_object()) continue;
    const Members members(value.get_object());
    ProcessorExecution step;
    std::optional<std::uint32_t> seq;
    std::optional<Instant> start;
    members.number("seq", seq);
    members.number("parentSeq", step.parent_seq);
    members.text("processorId", step.processor_id);
    members.text("processorType", step.processor_type);
    members.text("status", step.status);
    members.instant("startTime", start);
    members.number("durationMs", step.duration_ms);
    members.number("splitIndex", step.split_index);
    members.text("endpointUri", step.endpoint_uri);
    members.text("errorMessage", step.error_message);
    members.text("errorStackTrace", step.error_stack_trace);
    members.message(step.message);
    members.map("attributes", step.attributes);
    step.seq = seq.value_or(0);
    step.start_time = start.value_or(Instant{});
    into.push_back(std::move(step));
    if (const auto* children = members.list("children")) read_steps(*children, into);
  }
}

}  // namespace

Expected<Execution> read_detail(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::system::error_code error;
  const auto value = json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (error || !value.is_object()) return fail(ErrorCode::malformed_body, "This is no execution.");
  const Members members(value.get_object());
  Execution execution;
  std::optional<Instant> start;
  members.text("executionId", execution.execution_id);
  members.text("correlationId", execution.correlation_id);
  members.text("exchangeId", execution.exchange_id);
  members.text("routeId", execution.route_id);
  members.text("application", execution.application);
  members.text("instanceId", execution.instance_id);
  members.text("status", execution.status);
  members.instant("startTime", start);
  members.instant("endTime", execution.end_time);
  members.number("durationMs", execution.duration_ms);
  members.text("errorMessage", execution.error_message);
  members.text("errorStackTrace", execution.error_stack_trace);
  members.message(execution.message);
  members.map("attributes", execution.attributes);
  members.text("parentExecutionId", execution.parent_execution_id);
  members.text("fromEndpoint", execution.from_endpoint);
  members.text("engineLevel", execution.engine_level);
  execution.start_time = start.value_or(Instant{});
  if (const auto* steps = members.list("processors")) read_steps(*steps, execution.processors);
  return execution;
}

}  // namespace cameleer::sim
