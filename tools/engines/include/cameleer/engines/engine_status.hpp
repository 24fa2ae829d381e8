#pragma once
#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>

namespace cameleer::engines {

enum class EngineState {
  stopped,   ///< not started yet, or stopped in order
  starting,  ///< the first start
  running,
  restarting,  ///< it died; the next try is on its way
  failed       ///< the first start failed, or ten restarts in a row did; after those the tries go on every 5 s
};

std::string_view name_of(EngineState state);

struct EngineStatus {
  EngineState state = EngineState::stopped;
  unsigned restarts = 0;    ///< times that it came back after a death
  std::string last_reason;  ///< why it died or did not start, one sentence; empty: never
  pid_t pid = 0;            ///< 0: no process now
};

/// Takes the engines' own output, a line (at most 8 KiB, without its end) at a time. Called on the I/O thread.
using LogSink = std::function<void(std::string_view engine, std::string_view line)>;

}  // namespace cameleer::engines
