#pragma once
#include <cameleer/async/task.hpp>
#include <cameleer/core/error.hpp>
#include <cameleer/engines/engine_status.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace cameleer::engines {

class Supervisor;
class ClickHouseProgram;

struct ClickHouseOptions {
  std::string executable;  ///< path of cameleer-clickhouse
  std::string library;     ///< path of libchdb.so
  /// Belongs to this engine alone; absolute; made when missing, mode 0700.
  std::string data_dir;
  std::uint64_t max_memory = 1ULL << 30;    ///< bytes that queries may take; the process takes about 250 MB more
  std::uint64_t mark_cache = 128ULL << 20;  ///< bytes
  std::string log_level = "warning";
  bool durable = false;  ///< sync every insert: acknowledged rows survive power loss, at about half the speed
  std::chrono::milliseconds lock_wait{10'000};
  LogSink on_log_line;
};

/// Where the engine answers ClickHouse's HTTP interface.
struct ClickHouseEndpoint {
  std::string url;  ///< `http://127.0.0.1:PORT`, the same after a restart
  std::string user;
  std::string password;  ///< new with every `start`; the same after a restart
};

/// cameleer-clickhouse as a supervised child. Rules of threads and lifetime as for EmbeddedPostgres.
class EmbeddedClickHouse {
 public:
  EmbeddedClickHouse(async::Executor executor, ClickHouseOptions options);
  ~EmbeddedClickHouse();
  EmbeddedClickHouse(const EmbeddedClickHouse&) = delete;
  EmbeddedClickHouse& operator=(const EmbeddedClickHouse&) = delete;

  /// Starts the engine; returns once it answers. Errors as those of EmbeddedPostgres.
  async::Task<Expected<ClickHouseEndpoint>> start();
  /// Lets running statements end within 4 s; SIGKILL after 6 s.
  async::Task<> stop();
  [[nodiscard]] EngineStatus status() const;

 private:
  std::shared_ptr<ClickHouseProgram> program_;
  std::shared_ptr<Supervisor> supervisor_;
};

}  // namespace cameleer::engines
