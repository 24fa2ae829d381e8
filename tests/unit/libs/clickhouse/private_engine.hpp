#pragma once
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace cameleer::test {

/// The embedded ClickHouse engine of a test program's own: data in a temporary directory, on a loopback port that stays
/// the same over restarts, killed and removed by the destructor and with the test program. Program and library come
/// from CAMELEER_CLICKHOUSE_BIN (default: the one of this build) and CAMELEER_CHDB_LIBRARY; a missing one throws
/// std::runtime_error that says what to do. Everything here blocks.
class PrivateEngine {
 public:
  PrivateEngine();
  ~PrivateEngine();
  PrivateEngine(const PrivateEngine&) = delete;
  PrivateEngine& operator=(const PrivateEngine&) = delete;

  /// The engine that all test cases of this program share; they keep apart by `unique_database`.
  static PrivateEngine& shared();

  [[nodiscard]] std::string url() const;
  void start();
  void kill();

 private:
  void remove();

  std::filesystem::path directory_;
  std::uint16_t port_ = 0;
  pid_t process_ = -1;
};

/// A name that no other caller in this program gets.
std::string unique_database(std::string_view prefix);

}  // namespace cameleer::test
