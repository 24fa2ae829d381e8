#pragma once
#include <sys/types.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cameleer/async/task.hpp>
#include <cameleer/core/error.hpp>
#include <chrono>
#include <string>
#include <vector>

namespace cameleer::engines {

using Pipe = boost::asio::posix::basic_stream_descriptor<async::Executor>;

struct Command {
  std::vector<std::string> arguments;    ///< [0] is the program's path
  std::vector<std::string> environment;  ///< `NAME=value`, all of it
  std::string input;                     ///< what its stdin holds (at most 4 KiB); then the end
};

/// A child process: a group of its own, default signals, no descriptor of ours but its three. Watched by a pidfd, so
/// that neither SIGCHLD nor a reused pid can mislead. The destructor kills it and waits.
class Process {
 public:
  static Expected<Process> spawn(const async::Executor& executor, const Command& command);
  Process(Process&&) = default;
  Process& operator=(Process&&) = delete;
  ~Process();

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// stdout and stderr together.
  Pipe& output() { return output_; }
  void signal(int number) const;
  /// Collects the child when it has ended; false: it runs.
  bool has_ended();
  /// Suspends until it has ended, at most `limit`; false: it runs still.
  async::Task<bool> wait(std::chrono::steady_clock::duration limit);
  /// Wakes a coroutine in `wait`.
  void cancel_wait();
  /// `was killed by signal 9`, `ended with status 1`. After its end.
  [[nodiscard]] std::string end() const;
  [[nodiscard]] bool succeeded() const { return ended_ && status_code_ == 0 && !by_signal_; }

 private:
  Process(pid_t pid, Pipe pidfd, Pipe output) : pid_(pid), pidfd_(std::move(pidfd)), output_(std::move(output)) {}
  pid_t pid_;
  Pipe pidfd_;
  Pipe output_;
  bool ended_ = false;
  bool by_signal_ = false;
  int status_code_ = 0;
};

}  // namespace cameleer::engines
