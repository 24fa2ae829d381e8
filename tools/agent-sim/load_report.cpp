#include "agent-sim/load_report.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

namespace cameleer::sim {
namespace {

double seconds_of(std::chrono::steady_clock::duration span) {
  return std::max(std::chrono::duration<double>(span).count(), 1e-6);
}

}  // namespace

std::chrono::microseconds cpu_time() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

std::string LoadReport::head() {
  return fmt::format("{:>8} {:>14} {:>14} {:>9} {:>9} {:>9} {:>9}\n", "time s", "executions/s", "processors/s",
                     "p50 ms", "p99 ms", "retries", "failures");
}

std::string LoadReport::line(const LoadCounts& counts, Time now) {
  const auto span = seconds_of(now - last_);
  std::uint64_t failures = 0;
  for (const auto& [kind, count] : counts.failures) failures += count;
  auto text =
      fmt::format("{:>8.1f} {:>14.0f} {:>14.0f} {:>9.1f} {:>9.1f} {:>9} {:>9}\n", seconds_of(now - start_),
                  static_cast<double>(counts.executions - executions_) / span,
                  static_cast<double>(counts.processors - processors_) / span, counts.latencies.quantile(0.5) / 1000,
                  counts.latencies.quantile(0.99) / 1000, counts.retries - retries_, failures);
  last_ = now;
  executions_ = counts.executions;
  processors_ = counts.processors;
  retries_ = counts.retries;
  return text;
}

std::string LoadReport::summary(const LoadCounts& counts, Time now) const {
  const auto span = seconds_of(now - start_);
  const auto rows = counts.executions + counts.processors;
  auto text = fmt::format(
      "acknowledged      {} executions and {} processors in {} requests, {:.1f} s\n"
      "rows/s            {:.0f} executions, {:.0f} processors, {:.1f} MB/s of bodies\n"
      "acknowledgement   p50 {:.1f} ms, p99 {:.1f} ms\n"
      "retries           {}; sent twice {}; reconnects {}\n"
      "dropped           {}; refused alone {}; given up {}\n"
      "own CPU           {:.2f} us a row\n",
      counts.executions, counts.processors, counts.requests, span, static_cast<double>(counts.executions) / span,
      static_cast<double>(counts.processors) / span, static_cast<double>(counts.bytes) / span / 1e6,
      counts.latencies.quantile(0.5) / 1000, counts.latencies.quantile(0.99) / 1000, counts.retries, counts.duplicates,
      counts.reconnects, counts.dropped, counts.rejected, counts.unknown,
      static_cast<double>(cpu_time().count()) / static_cast<double>(std::max<std::uint64_t>(rows, 1)));
  for (const auto& [kind, count] : counts.failures) text += fmt::format("  {:<16}{}\n", kind, count);
  return text;
}

}  // namespace cameleer::sim
