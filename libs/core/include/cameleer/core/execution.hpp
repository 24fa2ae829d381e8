#pragma once
#include <cameleer/core/instant.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What an agent records of a running Camel application, as values. Text that was not given is empty; a number that was
/// not given is absent. States are kept as text, so that a state this version does not know survives.
namespace cameleer {

using StringMap = std::vector<std::pair<std::string, std::string>>;

namespace status {
inline constexpr std::string_view running = "RUNNING";
inline constexpr std::string_view completed = "COMPLETED";
inline constexpr std::string_view failed = "FAILED";
/// Never stored: a RUNNING execution that nothing was heard of for too long, as readers see it.
inline constexpr std::string_view incomplete = "INCOMPLETE";
}  // namespace status

/// A captured message body. An empty body is not the same as none.
struct Body {
  std::string text;        ///< as captured, or its beginning
  std::uint64_t size = 0;  ///< bytes before it was cut
  friend bool operator==(const Body&, const Body&) = default;
};

/// What a route or a processor was given and what it gave back.
struct Message {
  std::optional<Body> input_body, output_body;
  StringMap input_headers, output_headers;
};

/// One processor's part in an execution.
struct ProcessorExecution {
  std::uint32_t seq = 0;                    ///< pre-order number in the tree; part of the identity of the row
  std::optional<std::uint32_t> parent_seq;  ///< absent: top level
  std::string processor_id, processor_type, status;
  Instant start_time{};
  std::optional<std::int64_t> duration_ms;
  std::optional<std::int32_t> iteration, iteration_size, loop_index, split_index, multicast_index;
  std::string endpoint_uri, resolved_endpoint_uri;
  std::string error_message, error_stack_trace;
  Message message;
  StringMap attributes;
  std::optional<bool> filter_matched, duplicate_message;
  std::string circuit_breaker_state;
  std::vector<std::string> truncated;  ///< names of members that are stored cut
};

/// One exchange in one route. Its identity is (environment, start time, execution id).
struct Execution {
  std::string execution_id, correlation_id, exchange_id, route_id, application, instance_id, status;
  Instant start_time{};
  std::optional<Instant> end_time;
  std::optional<std::int64_t> duration_ms;
  std::string error_message, error_stack_trace;
  Message message;
  StringMap attributes;
  std::string parent_execution_id, from_endpoint, engine_level, diagram_hash, replay_of;
  std::vector<std::string> truncated;
  std::vector<ProcessorExecution> processors;  ///< flat; the tree is in seq and parent_seq
};

/// Stored as the number of processors of an execution that comes in parts: no part knows how many the others bring, so
/// readers count them.
inline constexpr std::uint32_t unknown_processor_count = 0xFFFF'FFFF;

/// Anything but RUNNING ends an execution.
inline bool is_terminal(std::string_view status) {
  return status != status::running;
}

/// Fills whichever of end time and duration is missing from the other. A negative span (the agent's clock was set
/// back) gives no duration.
void complete_times(Execution& execution);

}  // namespace cameleer
