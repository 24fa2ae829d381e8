#pragma once
#include <cameleer/async/task.hpp>
#include <cameleer/core/error.hpp>
#include <cameleer/engines/engine_status.hpp>
#include <chrono>
#include <memory>
#include <string>

namespace cameleer::engines {

class Supervisor;
class PostgresProgram;

struct PostgresOptions {
  /// Belongs to this engine alone: `cluster/`, `password`, `launcher.lock`, `run/`. Made when missing, mode 0700, owned
  /// by `run_as`, who must be able to reach it: its parents need x for others when the launcher is root.
  std::string data_dir;
  std::string bin_dir = "/usr/lib/postgresql/15/bin";
  /// User of the server processes: PostgreSQL refuses root. Only root can choose; everyone else runs it as himself.
  std::string run_as = "postgres";
  /// false is for tests alone: faster, and a crash of the machine loses the cluster.
  bool fsync = true;
  /// How long a predecessor that is being stopped may still hold the directory.
  std::chrono::milliseconds lock_wait{10'000};
  LogSink on_log_line;
};

/// A private PostgreSQL 15 cluster behind a unix socket in a directory of mode 0700; no TCP, no superuser login; one
/// role `cameleer` that owns one database `cameleer`, with a random password (SCRAM) in `<data_dir>/password`.
///
/// The child dies with the launcher (fast shutdown on SIGINT, also when the launcher is killed) and is started again
/// when it dies alone. All calls from the main thread, which must run the io_context: the kernel ties a child's life to
/// the thread that started it. Call `stop` before the destructor; without it the destructor ends the child and waits
/// for it.
class EmbeddedPostgres {
 public:
  EmbeddedPostgres(async::Executor executor, PostgresOptions options);
  ~EmbeddedPostgres();
  EmbeddedPostgres(const EmbeddedPostgres&) = delete;
  EmbeddedPostgres& operator=(const EmbeddedPostgres&) = delete;

  /// Makes the cluster when there is none (about 2 s), starts it, and gives a libpq conninfo once it accepts
  /// connections. The conninfo holds through restarts. Errors name the path and the rule: `bad_configuration` for
  /// directories, owners and missing programs, `unavailable` for a directory in use and a server that does not come up.
  async::Task<Expected<std::string>> start();
  /// Fast shutdown; SIGKILL after 10 s. Also ends a start or restart in progress.
  async::Task<> stop();
  [[nodiscard]] EngineStatus status() const;

 private:
  std::shared_ptr<PostgresProgram> program_;
  std::shared_ptr<Supervisor> supervisor_;
};

}  // namespace cameleer::engines
