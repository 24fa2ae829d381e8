#pragma once
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

namespace cameleer::test {

/// A PostgreSQL cluster of a test program's own: made in a temporary directory, reached through a unix socket only,
/// stopped and removed by the destructor. The server also stops when the test program is killed. As root it runs as the
/// user `postgres`, which PostgreSQL demands. Superuser `cameleer`, no password, encoding UTF8.
///
/// Everything here blocks; a test that must keep its io_context running calls it from another thread.
/// A failure throws std::runtime_error with the end of the server's log.
class PrivateCluster {
 public:
  PrivateCluster();
  ~PrivateCluster();
  PrivateCluster(const PrivateCluster&) = delete;
  PrivateCluster& operator=(const PrivateCluster&) = delete;

  /// The cluster that all test cases of this program share: made at the first call, gone at the program's end.
  /// Test cases keep apart by their own schema or database.
  static PrivateCluster& shared();

  /// libpq conninfo for `PoolOptions::conninfo`.
  [[nodiscard]] std::string conninfo(std::string_view database = "postgres") const;

  /// Runs statements over a connection of its own and gives the first cell of the last result (empty: none, or NULL).
  std::string execute(const std::string& sql, std::string_view database = "postgres") const;

  void start();
  /// SIGQUIT, which is `pg_ctl stop -m immediate`: as good as a crash; the next start recovers from the log.
  void stop_immediately();

 private:
  void initialise();
  [[nodiscard]] std::string end_of_log() const;

  std::filesystem::path directory_;
  pid_t server_ = -1;
};

/// A name no other caller in this program gets: `<prefix>_<n>`.
std::string unique_name(std::string_view prefix);

}  // namespace cameleer::test
