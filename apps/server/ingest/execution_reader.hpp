#pragma once
#include "server/ingest/json_views.hpp"

namespace cameleer::server {

/// What a route or a processor was given and what it gave back. A body without data: none was captured.
struct MessageView {
  std::string_view input_body, output_body;
  MapView input_headers, output_headers;
};

/// A processor's part in an execution, as ProcessorExecution.
struct StepView {
  std::uint32_t seq = 0;
  std::optional<std::uint32_t> parent_seq;
  std::string_view processor_id, processor_type, status;
  std::optional<Instant> start_time;
  std::optional<std::int64_t> duration_ms;
  std::optional<std::int32_t> iteration, iteration_size, loop_index, split_index, multicast_index;
  std::string_view endpoint_uri, resolved_endpoint_uri, error_message, error_stack_trace;
  MessageView message;
  MapView attributes;
  std::optional<bool> filter_matched, duplicate_message;
  std::string_view circuit_breaker_state;
};

/// An exchange in a route, as Execution.
struct ExecutionView {
  std::string_view execution_id, correlation_id, exchange_id, route_id, application, instance_id, status;
  std::optional<Instant> start_time, end_time;
  std::optional<std::int64_t> duration_ms;
  std::string_view error_message, error_stack_trace;
  MessageView message;
  MapView attributes;
  std::string_view parent_execution_id, from_endpoint, engine_level, diagram_hash, replay_of;
};

/// Reads executions one after another; what it gives out lives until the next one, and as long as the document. The
/// numbers of its steps are settled: each differs from the others.
class ExecutionReader {
 public:
  using Members = JsonMembers;
  using Element = JsonMembers::Element;

  /// An execution with its processors, nested or flat.
  bool read(Members& members, Element value);
  /// An execution without processors, as a part has it.
  bool read_exchange(Members& members, Element value);
  /// Processors of the part just read: flat records, each with a `seq` of its own. Other parts bring the rest of the
  /// tree, so the numbers stay as they are.
  bool read_flat_steps(Members& members, simdjson::dom::array list);

  [[nodiscard]] const ExecutionView& execution() const { return execution_; }
  [[nodiscard]] std::span<const StepView> steps() const { return steps_; }
  /// The step that made the execution fail. Null: none did.
  [[nodiscard]] const StepView* failing_step() const;

 private:
  bool read_record(Members& members, Element value, std::optional<simdjson::dom::array>& processors);
  void settle_times();
  void settle_sequence();

  ExecutionView execution_;
  std::vector<StepView> steps_;
  InstantReader instants_;
};

}  // namespace cameleer::server
