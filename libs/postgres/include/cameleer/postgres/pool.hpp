#pragma once
#include <cameleer/async/task.hpp>
#include <cameleer/core/error.hpp>
#include <cstdint>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// libpq in pipeline mode on Asio. All of it runs on the I/O thread.
namespace cameleer::postgres {

/// A bound parameter in text form; `nullopt` is SQL NULL. Built from strings, integers, doubles, booleans, optionals of
/// them, and bytes (`Parameter::bytea`).
class Parameter {
 public:
  Parameter(std::nullopt_t);
  Parameter(std::string value);
  Parameter(std::string_view value);
  Parameter(const char* value);
  Parameter(bool value);
  Parameter(int value);
  Parameter(std::int64_t value);
  Parameter(double value);
  template <class T>
  Parameter(const std::optional<T>& value) : Parameter(value ? Parameter(*value) : Parameter(std::nullopt)) {}
  static Parameter bytea(std::string_view bytes);
  /// `{…}` literal of a text array.
  static Parameter text_array(std::span<const std::string> values);
  [[nodiscard]] const std::optional<std::string>& text() const { return text_; }

 private:
  std::optional<std::string> text_;
};
using Parameters = std::vector<Parameter>;

/// Rows of a finished statement. Cheap to move; cells live as long as the result.
class Result {
 public:
  [[nodiscard]] std::size_t rows() const;
  [[nodiscard]] std::size_t columns() const;
  [[nodiscard]] std::int64_t affected() const;  ///< of INSERT, UPDATE, DELETE
  [[nodiscard]] bool is_null(std::size_t row, std::size_t column) const;
  [[nodiscard]] std::string_view text(std::size_t row, std::size_t column) const;  ///< empty for NULL
  [[nodiscard]] std::optional<std::string> optional_text(std::size_t row, std::size_t column) const;
  [[nodiscard]] std::int64_t integer(std::size_t row, std::size_t column) const;
  [[nodiscard]] bool boolean(std::size_t row, std::size_t column) const;
  [[nodiscard]] std::string bytes(std::size_t row, std::size_t column) const;  ///< bytea
  /// Column of that name; a name the statement does not return is a bug (throws).
  [[nodiscard]] std::size_t column(std::string_view name) const;

  explicit Result(void* pg_result);  ///< takes ownership of a PGresult
  Result(Result&&) noexcept;
  Result& operator=(Result&&) noexcept;
  ~Result();

 private:
  void* result_;
};

/// A failed statement keeps its SQLSTATE so that stores can tell a unique violation (`23505`) from a dead server.
struct DatabaseError {
  Error error;           ///< `conflict` for class 23, `unavailable` for lost connections, `upstream_timeout`, else `internal`
  std::string sqlstate;  ///< empty when the server never answered
};
template <class T>
using Outcome = std::expected<T, DatabaseError>;

struct PoolOptions {
  std::string conninfo;  ///< libpq conninfo or URI
  std::string schema;    ///< search_path of every connection; empty: the server's
  std::size_t connections = 4;
  std::chrono::milliseconds connect_time{5'000};
  std::chrono::milliseconds statement_time{10'000};  ///< client-side deadline; also statement_timeout on the server
  std::size_t max_waiting = 1'000;                   ///< statements queued over all connections; one more is `overloaded`
};

/// A connection of one's own, for BEGIN … COMMIT. Destroyed without commit(): rolled back.
class Transaction {
 public:
  virtual ~Transaction() = default;
  virtual async::Task<Outcome<Result>> query(std::string sql, Parameters parameters = {}) = 0;
  virtual async::Task<Outcome<void>> commit() = 0;
};

class Pool {
 public:
  Pool(async::Executor executor, PoolOptions options);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// One statement, its own implicit transaction, pipelined with others' statements. Reconnects by itself; a statement
  /// that may have run is not run again.
  async::Task<Outcome<Result>> query(std::string sql, Parameters parameters = {});
  async::Task<Outcome<std::unique_ptr<Transaction>>> begin();
  /// `select 1` within the deadline; what readiness shows.
  async::Task<Expected<void>> ping();
  /// Ends all connections; waiting statements fail with `unavailable`.
  async::Task<> close();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace cameleer::postgres
