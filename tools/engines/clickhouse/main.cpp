#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include "options.hpp"
#include "server.hpp"

namespace {

using namespace cameleer::engine;

/// One sentence on stderr that begins with `error:`; what started this program shows it.
int refuse(const std::string& sentence) {
  fmt::print(stderr, "error: {}\n", sentence);
  return 1;
}

/// Holds the directory for this process. A predecessor that is being killed may need a moment to let go.
std::expected<Descriptor, std::string> lock_directory(const std::string& path, std::chrono::milliseconds wait) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return std::unexpected(
        fmt::format("The directory {} cannot be made: {}.", path, std::generic_category().message(errno)));
  }
  const std::string file = path + "/engine.lock";
  Descriptor lock(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (lock.get() < 0) {
    return std::unexpected(
        fmt::format("The directory {} cannot be written: {}.", path, std::generic_category().message(errno)));
  }
  const auto deadline = std::chrono::steady_clock::now() + wait;
  while (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK || std::chrono::steady_clock::now() > deadline) {
      return std::unexpected(
          fmt::format("The directory {} is in use by another engine: one process a directory.", path));
    }
    usleep(20'000);
  }
  return lock;
}

std::expected<std::string, std::string> write_configuration(const Options& options) {
  std::string file = options.path + "/engine.xml";
  std::ofstream out(file, std::ios::trunc);
  out << "<clickhouse>\n  <merge_tree>\n    <merge_with_ttl_timeout>300</merge_with_ttl_timeout>\n";
  if (options.durable) {
    out << "    <fsync_after_insert>1</fsync_after_insert>\n    <fsync_part_directory>1</fsync_part_directory>\n";
  }
  out << "  </merge_tree>\n</clickhouse>\n";
  out.close();
  if (!out)
    return std::unexpected(fmt::format("{} cannot be written: {}.", file, std::generic_category().message(errno)));
  return file;
}

/// SIGTERM and SIGINT as a descriptor; blocked before any thread begins, so that no thread takes them.
Descriptor stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return Descriptor(signalfd(-1, &signals, SFD_CLOEXEC));
}

int serve(const Options& options, const Descriptor& stop) {
  const auto api = load_chdb(options.library);
  if (!api) return refuse(api.error());
  const auto configuration = write_configuration(options);
  if (!configuration) return refuse(configuration.error());
  auto pool = SessionPool::open(
      *api, {"chdb", "--path=" + options.path + "/data", "--config-file=" + *configuration,
             "--log-level=" + options.log_level, fmt::format("--max_server_memory_usage={}", options.max_memory),
             fmt::format("--mark_cache_size={}", options.mark_cache)});
  if (!pool) return refuse(pool.error());
  bool ended = false;
  {
    QueryWatch watch(**pool);
    QueryHandler handler(**pool, watch, {options.user, options.password});
    Server server(handler, watch, options.max_connections);
    if (const auto listening = server.listen(options.host, options.port); !listening)
      return refuse(listening.error() + ".");
    fmt::print("listening {}:{}\n", options.host, server.port());
    std::fflush(stdout);
    ended = server.run(stop.get(), std::chrono::seconds(4));
    // Threads that are still inside the engine would make an ordinary exit crash.
    if (!ended) std::quick_exit(0);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const Descriptor stop = stop_signals();
  const auto options = parse_options(argc, argv);
  if (!options) return options.error();
  umask(0077);
  if (options->parent != 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // The parent may have died before that call.
    if (getppid() != options->parent) return refuse("The process that started this one is gone.");
  }
  const auto lock = lock_directory(options->path, options->lock_wait);
  if (!lock) return refuse(lock.error());
  // The engine's database `default` shows files of the working directory as tables.
  if (mkdir((options->path + "/empty").c_str(), 0700) != 0 && errno != EEXIST) {
    return refuse(
        fmt::format("The directory {} cannot be written: {}.", options->path, std::generic_category().message(errno)));
  }
  if (chdir((options->path + "/empty").c_str()) != 0) return refuse("The working directory cannot be set.");
  return serve(*options, stop);
}
