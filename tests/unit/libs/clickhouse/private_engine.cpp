#include "private_engine.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#ifndef CAMELEER_BUILT_CLICKHOUSE
#define CAMELEER_BUILT_CLICKHOUSE ""
#endif

namespace cameleer::test {
namespace {

constexpr int kStartMs = 30'000;

std::string required_file(const char* variable, const char* otherwise) {
  const char* given = std::getenv(variable);
  const std::string path = given && *given ? given : otherwise;
  if (path.empty() || !std::filesystem::exists(path)) {
    throw std::runtime_error(fmt::format(
        "the ClickHouse engine is not there ({}={}): run ./dev setup first, and ./dev test sets the variable", variable,
        path));
  }
  return path;
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Reads until `listening 127.0.0.1:PORT`; 0 when the process ended or took too long.
std::uint16_t await_port(int fd) {
  constexpr std::string_view kLine = "listening 127.0.0.1:";
  std::string text;
  char piece[512];
  for (pollfd waiting{fd, POLLIN, 0}; ::poll(&waiting, 1, kStartMs) == 1;) {
    const auto got = ::read(fd, piece, sizeof piece);
    if (got <= 0) return 0;
    text.append(piece, static_cast<std::size_t>(got));
    const auto at = text.find(kLine);
    if (at == std::string::npos || text.find('\n', at) == std::string::npos) continue;
    std::uint16_t port = 0;
    std::from_chars(text.data() + at + kLine.size(), text.data() + text.size(), port);
    return port;
  }
  return 0;
}

}  // namespace

PrivateEngine::PrivateEngine() {
  char pattern[] = "/tmp/cameleer-engine-XXXXXX";
  directory_ = ::mkdtemp(pattern);
  try {
    start();
  } catch (...) {
    remove();
    throw;
  }
}

PrivateEngine::~PrivateEngine() {
  remove();
}

void PrivateEngine::remove() {
  kill();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

PrivateEngine& PrivateEngine::shared() {
  static PrivateEngine engine;
  return engine;
}

std::string PrivateEngine::url() const {
  return fmt::format("http://127.0.0.1:{}", port_);
}

void PrivateEngine::start() {
  const auto program = required_file("CAMELEER_CLICKHOUSE_BIN", CAMELEER_BUILT_CLICKHOUSE);
  const auto library = required_file("CAMELEER_CHDB_LIBRARY", "");
  const auto data = (directory_ / "data").string();
  const auto log = (directory_ / "log").string();
  const auto listen = fmt::format("127.0.0.1:{}", port_);
  int out[2];
  if (::pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  process_ = ::fork();
  if (process_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(out[1], STDOUT_FILENO);
    const int errors = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(errors, STDERR_FILENO);
    ::execl(program.c_str(), program.c_str(), "--library", library.c_str(), "--path", data.c_str(), "--listen",
            listen.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(out[1]);
  port_ = await_port(out[0]);
  ::close(out[0]);
  if (port_ == 0) throw std::runtime_error("the ClickHouse engine did not start: " + content_of(log));
}

void PrivateEngine::kill() {
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

std::string unique_database(std::string_view prefix) {
  static int count = 0;
  return fmt::format("{}_{}", prefix, ++count);
}

}  // namespace cameleer::test
