#include "process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>
#include <system_error>

namespace cameleer::engines {
namespace {

struct PipePair {
  int read_end = -1;
  int write_end = -1;
  PipePair() {
    std::array<int, 2> ends{-1, -1};
    if (pipe2(ends.data(), O_CLOEXEC) == 0) {
      read_end = ends[0];
      write_end = ends[1];
    }
  }
  PipePair(const PipePair&) = delete;
  PipePair& operator=(const PipePair&) = delete;
  ~PipePair() {
    if (read_end >= 0) close(read_end);
    if (write_end >= 0) close(write_end);
  }
  int release_read() { return std::exchange(read_end, -1); }
};

/// What the child is given between fork and exec.
struct SpawnPlan {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};

  SpawnPlan(int input, int output) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, output, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    // A group of its own: Ctrl-C at a terminal is for the launcher, which stops its children in order.
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

Expected<Process> Process::spawn(const async::Executor& executor, const Command& command) {
  PipePair input;
  PipePair output;
  if (input.write_end < 0 || output.write_end < 0) {
    return fail(ErrorCode::unavailable,
                fmt::format("No pipe for a child process: {}.", std::generic_category().message(errno)));
  }
  // It fits the pipe's buffer, so this does not wait for the child.
  if (!command.input.empty() && write(input.write_end, command.input.data(), command.input.size()) < 0) {
    return fail(ErrorCode::unavailable,
                fmt::format("A child's input cannot be written: {}.", std::generic_category().message(errno)));
  }
  auto arguments = command.arguments;
  auto environment = command.environment;
  const SpawnPlan plan(input.read_end, output.write_end);
  pid_t pid = 0;
  const int failure = posix_spawn(&pid, arguments[0].c_str(), &plan.actions, &plan.attributes,
                                  pointers(arguments).data(), pointers(environment).data());
  if (failure != 0) {
    return fail(ErrorCode::bad_configuration,
                fmt::format("{} cannot be run: {}.", command.arguments[0], std::generic_category().message(failure)));
  }
  // glibc 2.36 declares pidfd_open without C linkage.
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) {
    const int reason = errno;
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return fail(ErrorCode::unavailable,
                fmt::format("A child cannot be watched: {}.", std::generic_category().message(reason)));
  }
  return Process(pid, Pipe(executor, pidfd), Pipe(executor, output.release_read()));
}

Process::~Process() {
  if (!pidfd_.is_open() || has_ended()) return;
  signal(SIGKILL);
  siginfo_t info{};
  waitid(P_PIDFD, static_cast<id_t>(pidfd_.native_handle()), &info, WEXITED);
}

void Process::signal(int number) const {
  if (!ended_) kill(pid_, number);  // not yet collected, so the number is still this child's
}

bool Process::has_ended() {
  if (ended_) return true;
  siginfo_t info{};
  if (waitid(P_PIDFD, static_cast<id_t>(pidfd_.native_handle()), &info, WEXITED | WNOHANG) != 0) return false;
  if (info.si_pid == 0) return false;
  ended_ = true;
  by_signal_ = info.si_code != CLD_EXITED;
  status_code_ = info.si_status;
  return true;
}

async::Task<bool> Process::wait(std::chrono::steady_clock::duration limit) {
  if (has_ended()) co_return true;
  // The timer cancels the wait on the descriptor; whichever comes first ends both.
  auto timer = std::make_shared<async::SteadyTimer>(co_await boost::asio::this_coro::executor, limit);
  auto waiting = std::make_shared<bool>(true);
  timer->async_wait([this, timer, waiting](const boost::system::error_code& ec) {
    if (!ec && *waiting) pidfd_.cancel();
  });
  co_await pidfd_.async_wait(Pipe::wait_read, async::as_result);
  *waiting = false;
  timer->cancel();
  co_return has_ended();
}

void Process::cancel_wait() {
  pidfd_.cancel();
}

std::string Process::end() const {
  return by_signal_ ? fmt::format("was killed by signal {}", status_code_)
                    : fmt::format("ended with status {}", status_code_);
}

}  // namespace cameleer::engines
