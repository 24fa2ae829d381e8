#include <cameleer/core/execution.hpp>

namespace cameleer {

void complete_times(Execution& execution) {
  if (execution.end_time && !execution.duration_ms) {
    const auto span = (*execution.end_time - execution.start_time).count();
    if (span >= 0) execution.duration_ms = span;
  } else if (!execution.end_time && execution.duration_ms && is_terminal(execution.status)) {
    execution.end_time = execution.start_time + std::chrono::milliseconds(*execution.duration_ms);
  }
}

}  // namespace cameleer
