#pragma once
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cameleer/engines/embedded_clickhouse.hpp>
#include <cameleer/engines/embedded_postgres.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <string>

#include "http_client.hpp"

namespace cameleer::engines::test {

/// A directory of its own under /tmp that other users may pass; gone at the end.
class TempDirectory {
 public:
  TempDirectory();
  ~TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  [[nodiscard]] std::string path(const std::string& name = "") const {
    return name.empty() ? path_ : path_ + "/" + name;
  }

 private:
  std::string path_;
};

/// libchdb.so; fails the test when nobody says where it is.
std::string library_path();

/// True as soon as `condition` holds, false after `limit`.
bool eventually(const std::function<bool()>& condition, std::chrono::seconds limit = std::chrono::seconds(20));

bool is_alive(pid_t pid);

/// An I/O thread of a test: the main thread, as long as it is inside `run` or `run_until`.
class Loop {
 public:
  async::Executor executor() { return context_.get_executor(); }

  template <class T>
  T run(async::Task<T> task) {
    std::optional<T> result;
    std::exception_ptr thrown;
    boost::asio::co_spawn(context_, std::move(task), [&](const std::exception_ptr& failure, T value) {
      thrown = failure;
      result.emplace(std::move(value));
    });
    drive([&] { return result.has_value(); });
    if (thrown) std::rethrow_exception(thrown);
    return std::move(*result);
  }
  void run(async::Task<> task);
  bool run_until(const std::function<bool()>& condition, std::chrono::seconds limit = std::chrono::seconds(20));

 private:
  void drive(const std::function<bool()>& done);
  boost::asio::io_context context_{1};
};

PostgresOptions postgres_options(const TempDirectory& directory);
ClickHouseOptions clickhouse_options(const TempDirectory& directory);

/// An engine that runs, and requests to it.
class RunningClickHouse {
 public:
  explicit RunningClickHouse(ClickHouseOptions options);
  ~RunningClickHouse();
  /// POST / with the engine's credentials; `target` begins with `/`.
  HttpAnswer post(const std::string& target, const std::string& body, const std::string& more_headers = "");
  HttpAnswer get(const std::string& target);
  /// The body of a statement that must succeed.
  std::string ask(const std::string& sql);
  [[nodiscard]] std::string headers() const;
  [[nodiscard]] int port() const;
  EmbeddedClickHouse& engine() { return engine_; }
  Loop& loop() { return loop_; }

 private:
  Loop loop_;
  EmbeddedClickHouse engine_;
  ClickHouseEndpoint endpoint_;
};

/// First column of the first row; fails the test on an error.
std::string ask_postgres(const std::string& conninfo, const std::string& sql);

}  // namespace cameleer::engines::test
