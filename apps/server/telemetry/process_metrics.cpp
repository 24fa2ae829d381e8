#include "server/telemetry/process_metrics.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace cameleer::server {
namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double cpu_seconds() {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

double resident_bytes() {
  std::ifstream file("/proc/self/statm");
  double all = 0, resident = 0;
  file >> all >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double open_files() {
  std::error_code error;
  double count = 0;
  for (std::filesystem::directory_iterator it("/proc/self/fd", error), end; !error && it != end; it.increment(error)) {
    ++count;
  }
  return count;
}

double most_files() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<double>(limit.rlim_cur) : 0;
}

}  // namespace

void add_process_metrics(Metrics& metrics, Instant started) {
  metrics.observe_total("process_cpu_seconds_total", "Processor time of the process, without its engines", {},
                        &cpu_seconds);
  metrics.observe("process_resident_memory_bytes", "Memory of the process, without its engines", {}, &resident_bytes);
  metrics.observe("process_open_fds", "Open files and connections", {}, &open_files);
  metrics.observe("process_max_fds", "How many there may be", {}, &most_files);
  metrics.observe("process_start_time_seconds", "When the process started, in seconds since 1970", {},
                  [started] { return std::chrono::duration<double>(started.time_since_epoch()).count(); });
}

}  // namespace cameleer::server
