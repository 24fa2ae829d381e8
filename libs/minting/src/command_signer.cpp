#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cameleer/minting/signer.hpp>
#include <cerrno>
#include <csignal>
#include <thread>

extern char** environ;

namespace cameleer::minting {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

std::unexpected<Error> refuse(std::string_view rule, ErrorCode code = ErrorCode::upstream_error) {
  return fail(code, fmt::format("The command that signs {}.", rule));
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return number_; }
  void close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }

 private:
  int number_;
};

/// A file without a name that holds the payload. A pipe would need a writer beside the reader, and a command that
/// leaves early would break it.
int file_with(std::span<const unsigned char> payload) {
  const int file = memfd_create("payload", MFD_CLOEXEC);
  while (file >= 0 && !payload.empty()) {
    const auto written = ::write(file, payload.data(), payload.size());
    if (written <= 0) {
      ::close(file);
      return -1;
    }
    payload = payload.subspan(static_cast<std::size_t>(written));
  }
  if (file >= 0) lseek(file, 0, SEEK_SET);
  return file;
}

/// The process of the command; killed, if it still runs, when nobody waits any longer.
class Child {
 public:
  static Expected<std::unique_ptr<Child>> start(std::string command, int standard_input, int standard_output) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, standard_input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, standard_output, STDOUT_FILENO);
    // A program that ignores SIGPIPE would hand that down.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    std::string shell = "sh", flag = "-c";
    char* const arguments[] = {shell.data(), flag.data(), command.data(), nullptr};
    pid_t process = 0;
    const int failure = posix_spawn(&process, "/bin/sh", &actions, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (failure != 0) return refuse("cannot be started");
    return std::unique_ptr<Child>(new Child(process));
  }
  ~Child() {
    if (process_ == 0) return;
    ::kill(process_, SIGKILL);
    while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// How it ended, or nothing when it has not by then.
  std::optional<int> status_by(SteadyTime deadline) {
    for (;;) {
      int status = 0;
      if (waitpid(process_, &status, WNOHANG) == process_) {
        process_ = 0;
        return status;
      }
      if (std::chrono::steady_clock::now() >= deadline) return std::nullopt;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

 private:
  explicit Child(pid_t process) : process_(process) {}
  pid_t process_;
};

/// Everything up to the end, but at most one byte more than a signature has; nothing when the time is over.
std::optional<std::string> read_by(int pipe, SteadyTime deadline) {
  constexpr std::size_t kMost = std::tuple_size_v<Signature> + 1;
  std::string output(kMost, '\0');
  std::size_t size = 0;
  while (size < kMost) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd wait{.fd = pipe, .events = POLLIN, .revents = 0};
    const int ready = left.count() <= 0 ? 0 : poll(&wait, 1, static_cast<int>(left.count()));
    if (ready == 0) return std::nullopt;
    if (ready < 0 && errno == EINTR) continue;
    const auto got = ::read(pipe, output.data() + size, kMost - size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  output.resize(size);
  return output;
}

}  // namespace

Expected<Signature> CommandSigner::sign(std::span<const unsigned char> payload) {
  const auto deadline = std::chrono::steady_clock::now() + patience_;
  Descriptor input(file_with(payload));
  int ends[2] = {-1, -1};
  if (input.get() < 0 || pipe2(ends, O_CLOEXEC) != 0) return refuse("cannot be given its input");
  Descriptor reader(ends[0]), writer(ends[1]);
  const auto child = Child::start(command_, input.get(), writer.get());
  if (!child) return std::unexpected(child.error());
  writer.close();
  const auto output = read_by(reader.get(), deadline);
  reader.close();
  const auto late = [this] {
    return refuse(fmt::format("took longer than {} ms", patience_.count()), ErrorCode::upstream_timeout);
  };
  if (!output) return late();
  Signature signature{};
  if (output->size() > signature.size()) return refuse("wrote more than the 64 bytes of a signature");
  const auto status = (*child)->status_by(deadline);
  if (!status) return late();
  if (WIFSIGNALED(*status)) return refuse(fmt::format("was ended by signal {}", WTERMSIG(*status)));
  if (WEXITSTATUS(*status) != 0) return refuse(fmt::format("ended with status {}", WEXITSTATUS(*status)));
  if (output->size() != signature.size()) {
    return refuse(fmt::format("wrote {} bytes instead of the 64 of a raw signature", output->size()));
  }
  std::ranges::copy(*output, signature.begin());
  return signature;
}

}  // namespace cameleer::minting
