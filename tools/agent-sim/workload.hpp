#pragma once
#include <cameleer/core/error.hpp>
#include <cameleer/core/execution.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// What simulated applications do: three applications that call each other (orders, warehouse, billing), a few routes
/// each, most exchanges well, some failing with a stack trace.
namespace cameleer::sim {

struct WorkloadOptions {
  std::uint64_t seed = 1;
  unsigned processors_per_execution = 5;
  double error_rate = 0.02;       ///< of executions, 0 to 1
  std::size_t payload_bytes = 0;  ///< of each input and each output body of exchange and processors; 0: no payload
};

/// `none`, `2x200`, `2x1k`: two bodies (in and out) of so many bytes.
Expected<std::size_t> payload_bytes_of(std::string_view name);

inline constexpr unsigned kApplications = 3;
std::string_view application_name(unsigned agent);
std::string agent_id(std::uint64_t seed, unsigned agent);
/// What all agent ids of a seed begin with.
std::string agent_prefix(std::uint64_t seed);
std::vector<std::string> route_names(unsigned agent);

/// Texts that the generator replaces in a prototype; each occurs nowhere else.
namespace slot {
inline constexpr std::string_view execution = "EEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEE";
inline constexpr std::string_view correlation = "KKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKK";
inline constexpr std::string_view parent = "QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ";
inline constexpr std::string_view order = "WWWWWWWWWWWWWWWW";                  ///< first half of the execution id
inline constexpr Instant start{std::chrono::milliseconds(7'258'118'400'000)};  ///< 2200-01-01
inline constexpr std::string_view start_prefix = "\"2200-";
}  // namespace slot

/// One of the shapes that an agent's executions have, with the texts of `slot` for what differs.
Execution prototype(const WorkloadOptions& options, unsigned agent, unsigned variant, bool failed);
inline constexpr unsigned kVariants = 24;

}  // namespace cameleer::sim
