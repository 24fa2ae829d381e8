#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "agent-sim/latencies.hpp"

namespace cameleer::sim {

/// What a load run has counted.
struct LoadCounts {
  std::uint64_t requests = 0;    ///< acknowledged ones
  std::uint64_t executions = 0;  ///< in acknowledged requests and not refused alone
  std::uint64_t processors = 0;  ///< of those
  std::uint64_t bytes = 0;       ///< of acknowledged bodies, as sent
  std::uint64_t retries = 0;     ///< attempts after the first
  std::uint64_t duplicates = 0;  ///< requests sent twice on purpose
  std::uint64_t reconnects = 0;
  std::uint64_t dropped = 0;                      ///< executions that the server refused
  std::uint64_t rejected = 0;                     ///< executions refused alone, within a 202
  std::uint64_t unknown = 0;                      ///< executions that were given up without an answer
  std::map<std::string, std::uint64_t> failures;  ///< attempts by status or by kind of failure
  Latencies latencies;                            ///< of acknowledged requests: first attempt to 202
};

/// The line of a table for the time since the last one.
class LoadReport {
 public:
  using Time = std::chrono::steady_clock::time_point;
  explicit LoadReport(Time start) : start_(start), last_(start) {}
  static std::string head();
  std::string line(const LoadCounts& counts, Time now);
  /// Totals, rates over the whole run, failures by status.
  [[nodiscard]] std::string summary(const LoadCounts& counts, Time now) const;

 private:
  Time start_, last_;
  std::uint64_t executions_ = 0, processors_ = 0, retries_ = 0;
};

/// CPU time of this process so far, user and system.
std::chrono::microseconds cpu_time();

}  // namespace cameleer::sim
