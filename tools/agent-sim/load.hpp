#pragma once
#include <cameleer/web/client.hpp>
#include <optional>
#include <string>

#include "agent-sim/body_coding.hpp"
#include "agent-sim/load_report.hpp"
#include "agent-sim/workload.hpp"

namespace cameleer::sim {

struct LoadOptions {
  web::Endpoint server;
  std::string api_key, environment = "default";
  WorkloadOptions workload;
  unsigned agents = 1;
  unsigned connections_per_agent = 1;
  double rate = 0;                   ///< executions a second over all agents; 0: as fast as they are acknowledged
  std::chrono::seconds duration{0};  ///< 0: until `count`
  std::uint64_t count = 0;           ///< executions; 0: until `duration`
  std::size_t batch = 100;           ///< executions in a request
  Coding coding = Coding::identity;
  std::string ledger;  ///< file; empty: none
  // Chaos.
  std::uint64_t reconnect_every = 0;  ///< requests of an agent, after which it closes all its connections
  double duplicate_rate = 0;          ///< share of requests sent twice: at once, or again after the answer
  std::chrono::milliseconds clock_skew{};
  std::chrono::milliseconds slow_read{};      ///< waits so long between the head and the rest of each answer
  std::chrono::milliseconds timeout_retry{};  ///< every tenth request is cut off after this and sent again
  // Patience.
  std::chrono::milliseconds first_backoff{250}, most_backoff{5'000};
  std::chrono::seconds give_up_after{300};  ///< a request without an answer for so long is given up
  std::chrono::seconds request_deadline{30};
};

struct LoadResult {
  LoadCounts counts;
  std::string failure;  ///< the run could not begin or go on; empty: it came to its end
};

/// Runs agents until `duration` or `count`, then waits for what is under way. Prints a line each five seconds. SIGINT
/// and SIGTERM end it orderly. Owns its thread of control: makes its own I/O loop.
LoadResult run_load(const LoadOptions& options);

/// How quick the generator is by itself: executions made within `duration` on one core.
void measure_generator(const WorkloadOptions& options, std::size_t batch, std::chrono::milliseconds duration);

}  // namespace cameleer::sim
