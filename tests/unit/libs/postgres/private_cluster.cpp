#include "private_cluster.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

extern char** environ;

namespace cameleer::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr const char* kBinaries = "/usr/lib/postgresql/15/bin/";
constexpr auto kStartTime = 60s;

pid_t spawn(std::vector<std::string> arguments, const fs::path& log) {
  // Root gives up its rights, and the server goes when this program goes. Both by setpriv, in this order: a change of
  // user clears the parent-death signal.
  std::vector<std::string> words{"setpriv"};
  if (geteuid() == 0) words.insert(words.end(), {"--reuid=postgres", "--regid=postgres", "--clear-groups"});
  words.insert(words.end(), {"--pdeathsig", "INT"});
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t pid = -1;
  int failed = posix_spawnp(&pid, "setpriv", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error(fmt::format("cannot start setpriv: error {}", failed));
  return pid;
}

int wait_for(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

struct ConnectionCloser {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct ResultCloser {
  void operator()(PGresult* result) const { PQclear(result); }
};

}  // namespace

PrivateCluster::PrivateCluster() {
  // Short: a unix socket's path holds 107 bytes.
  std::string pattern = "/tmp/cameleer-pg-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary directory");
  directory_ = pattern;
  try {
    initialise();
    start();
  } catch (...) {
    if (server_ > 0) stop_immediately();
    fs::remove_all(directory_);
    throw;
  }
}

PrivateCluster::~PrivateCluster() {
  if (server_ > 0) stop_immediately();
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

PrivateCluster& PrivateCluster::shared() {
  static PrivateCluster cluster;
  return cluster;
}

void PrivateCluster::initialise() {
  if (geteuid() == 0) {
    const passwd* user = getpwnam("postgres");
    if (user == nullptr) throw std::runtime_error("there is no user postgres");
    if (chown(directory_.c_str(), user->pw_uid, user->pw_gid) != 0) throw std::runtime_error("cannot chown");
  }
  pid_t pid = spawn({std::string(kBinaries) + "initdb", "--pgdata", directory_ / "data", "--username=cameleer",
                     "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"},
                    directory_ / "log");
  if (wait_for(pid) != 0) throw std::runtime_error("initdb failed:\n" + end_of_log());
}

void PrivateCluster::start() {
  server_ = spawn({std::string(kBinaries) + "postgres", "-D", directory_ / "data", "-c", "listen_addresses=", "-c",
                   "unix_socket_directories=" + directory_.string(), "-c", "fsync=off", "-c", "shared_buffers=32MB",
                   "-c", "max_connections=100"},
                  directory_ / "log");
  auto deadline = std::chrono::steady_clock::now() + kStartTime;
  while (PQping(conninfo().c_str()) != PQPING_OK) {
    if (waitpid(server_, nullptr, WNOHANG) == server_) {
      server_ = -1;
      throw std::runtime_error("the server ended:\n" + end_of_log());
    }
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("no start in time:\n" + end_of_log());
    std::this_thread::sleep_for(20ms);
  }
}

void PrivateCluster::stop_immediately() {
  kill(server_, SIGQUIT);
  wait_for(server_);
  server_ = -1;
}

std::string PrivateCluster::conninfo(std::string_view database) const {
  return fmt::format("host={} user=cameleer dbname={}", directory_.string(), database);
}

std::string PrivateCluster::execute(const std::string& sql, std::string_view database) const {
  std::unique_ptr<PGconn, ConnectionCloser> connection(PQconnectdb(conninfo(database).c_str()));
  std::unique_ptr<PGresult, ResultCloser> result(PQexec(connection.get(), sql.c_str()));
  auto status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    throw std::runtime_error(fmt::format("{}: {}", sql, PQerrorMessage(connection.get())));
  }
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

std::string PrivateCluster::end_of_log() const {
  std::ifstream file(directory_ / "log");
  std::stringstream text;
  text << file.rdbuf();
  std::string all = text.str();
  return all.size() > 2'000 ? all.substr(all.size() - 2'000) : all;
}

std::string unique_name(std::string_view prefix) {
  static int next = 0;
  return fmt::format("{}_{}", prefix, ++next);
}

}  // namespace cameleer::test
