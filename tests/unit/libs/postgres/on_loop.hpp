#pragma once
#include <boost/asio/co_spawn.hpp>
#include <cameleer/async/task.hpp>
#include <cameleer/postgres/pool.hpp>
#include <exception>
#include <optional>
#include <stdexcept>

#include "private_cluster.hpp"

namespace cameleer::test {

/// Runs the coroutine on `io` to its end and gives its value; throws after a minute, so that no bug hangs the tests.
template <class T>
T finish(boost::asio::io_context& io, async::Task<T> task) {
  std::optional<T> value;
  std::exception_ptr thrown;
  boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr error, T result) {
    thrown = error;
    value.emplace(std::move(result));
  });
  auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  io.restart();
  while (!value && std::chrono::steady_clock::now() < limit) io.run_one_for(std::chrono::seconds(1));
  if (thrown) std::rethrow_exception(thrown);
  if (!value) throw std::runtime_error("the coroutine did not end within a minute");
  return std::move(*value);
}

inline void finish(boost::asio::io_context& io, async::Task<> task) {
  bool done = false;
  std::exception_ptr thrown;
  boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr error) {
    thrown = error;
    done = true;
  });
  auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  io.restart();
  while (!done && std::chrono::steady_clock::now() < limit) io.run_one_for(std::chrono::seconds(1));
  if (thrown) std::rethrow_exception(thrown);
  if (!done) throw std::runtime_error("the coroutine did not end within a minute");
}

/// A pool on the shared cluster, in a schema of its own, and the loop it lives on.
struct PoolOnLoop {
  explicit PoolOnLoop(postgres::PoolOptions options = {}) : schema(unique_name("pool test \"quoted\"")) {
    options.conninfo = PrivateCluster::shared().conninfo();
    options.schema = schema;
    pool.emplace(io.get_executor(), options);
    query("create schema " + quoted_schema());
  }
  ~PoolOnLoop() {
    if (pool) finish(io, pool->close());
  }

  postgres::Outcome<postgres::Result> query(std::string sql, postgres::Parameters parameters = {}) {
    return finish(io, pool->query(std::move(sql), std::move(parameters)));
  }
  /// First cell of a statement that must succeed.
  std::string cell(std::string sql, postgres::Parameters parameters = {}) {
    auto outcome = query(std::move(sql), std::move(parameters));
    if (!outcome) throw std::runtime_error(outcome.error().sqlstate + " " + outcome.error().server_text);
    return std::string(outcome->text(0, 0));
  }
  std::string sqlstate(std::string sql, postgres::Parameters parameters = {}) {
    auto outcome = query(std::move(sql), std::move(parameters));
    return outcome ? "success" : outcome.error().sqlstate;
  }
  [[nodiscard]] std::string quoted_schema() const {
    std::string text = "\"";
    for (char letter : schema) text += letter == '"' ? std::string("\"\"") : std::string(1, letter);
    return text + '"';
  }

  boost::asio::io_context io;
  std::string schema;
  std::optional<postgres::Pool> pool;
};

}  // namespace cameleer::test
