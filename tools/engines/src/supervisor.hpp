#pragma once
#include <cameleer/engines/engine_status.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "process.hpp"

namespace cameleer::engines {

using Lines = std::deque<std::string>;

/// What a supervisor must know about one engine.
class Program {
 public:
  virtual ~Program() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// Before every start: directories, locks, what a dead predecessor left. `stopping` turns true when it should give
  /// up.
  virtual async::Task<Expected<void>> prepare(const bool& stopping) = 0;
  virtual Command command() = 0;
  virtual void on_line(std::string_view line) = 0;
  /// Whether the child `pid` takes requests by now.
  virtual bool is_ready(pid_t pid) = 0;
  /// The line of the child's last ones that tells why it ended; empty: none does.
  [[nodiscard]] virtual std::string reason_in(const Lines& last) const = 0;
  [[nodiscard]] virtual int stop_signal() const = 0;
  [[nodiscard]] virtual std::chrono::seconds stop_limit() const = 0;
  [[nodiscard]] virtual std::chrono::seconds ready_limit() const = 0;
};

/// Keeps one child process alive: starts it, watches it, starts it again after 100 ms … 5 s when it dies, and stops it.
/// Coroutines on the I/O thread, no thread of its own. It is shared with the coroutines that it spawns.
class Supervisor : public std::enable_shared_from_this<Supervisor> {
 public:
  Supervisor(async::Executor executor, std::shared_ptr<Program> program, LogSink sink);

  async::Task<Expected<void>> start();
  async::Task<> stop();
  /// Without suspending: for the owner's destructor.
  void abandon();
  [[nodiscard]] const EngineStatus& status() const { return status_; }

 private:
  async::Task<Expected<void>> launch();
  async::Task<Expected<void>> wait_until_ready();
  static async::Task<> watch(std::shared_ptr<Supervisor> self);
  static async::Task<> read_lines(std::shared_ptr<Supervisor> self, std::shared_ptr<Process> child);
  async::Task<> bring_back();
  async::Task<std::string> death_of_child();
  void take_line(std::string_view line);

  async::Executor executor_;
  std::shared_ptr<Program> program_;
  LogSink sink_;
  EngineStatus status_;
  std::shared_ptr<Process> child_;
  Lines last_lines_;
  bool reading_ = false;
  bool active_ = false;  // a start, or the watch, is at work
  bool stopping_ = false;
  std::chrono::milliseconds pause_length_;  // before the next try; grows while the child does not live long
  async::SteadyTimer pause_;                // of a restart; cancelled by stop
  async::SteadyTimer done_;                 // `stop` waits on it for the end of what is active
};

}  // namespace cameleer::engines
