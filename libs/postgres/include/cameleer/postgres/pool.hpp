#pragma once
#include <cameleer/async/task.hpp>
#include <cameleer/core/embedded.hpp>
#include <cameleer/core/error.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// libpq in pipeline mode on Asio. All of it runs on the I/O thread.
namespace cameleer::postgres {

class PoolCore;

/// A bound parameter in text form; `nullopt` is SQL NULL. Built from strings, integers, doubles, booleans, optionals of
/// them, and bytes (`Parameter::bytea`).
class Parameter {
 public:
  Parameter(std::nullopt_t) {}
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

  explicit Result(void* pg_result = nullptr);  ///< takes ownership of a PGresult; none: no rows
  Result(Result&&) noexcept;
  Result& operator=(Result&&) noexcept;
  ~Result();

 private:
  void* result_;
};

/// A failed statement keeps its SQLSTATE so that stores can tell a unique violation (`23505`) from a dead server, and
/// repeat a transaction that lost a deadlock (`40P01`) or a serialisation check (`40001`).
struct DatabaseError {
  /// `conflict`: class 23. `unavailable`: no connection, a lost one, a server that stops, is read-only or out of disk,
  /// a lost deadlock, an unobtainable lock. `upstream_timeout`: the deadline, here or on the server. `overloaded`: too
  /// many waiting here, or class 53 there. `invalid_parameter`: a value that PostgreSQL's text cannot hold (a NUL byte,
  /// invalid UTF-8). Anything else is `internal`. The message holds no SQL and no text of the server.
  Error error;
  std::string sqlstate = {};     ///< empty when the server never answered
  std::string constraint = {};   ///< the violated constraint's name, for class 23
  std::string server_text = {};  ///< the server's or libpq's own words, for logs only

  /// What a REST caller gets for it: a database that is slow is as good as gone.
  [[nodiscard]] Error for_caller() const {
    if (error.code != ErrorCode::upstream_timeout) return error;
    return {ErrorCode::unavailable, "The database did not answer in time."};
  }
};
template <class T>
using Outcome = std::expected<T, DatabaseError>;

struct PoolOptions {
  std::string conninfo = {};  ///< libpq conninfo or URI
  std::string schema = {};    ///< search_path of every connection; empty: the server's
  std::size_t connections = 4;
  std::chrono::milliseconds connect_time{5'000};
  std::chrono::milliseconds statement_time{10'000};  ///< client-side deadline; also statement_timeout on the server
  std::size_t max_waiting = 1'000;  ///< statements not yet answered, over all connections; one more is `overloaded`
  /// A transaction that takes longer loses its connection, so that a forgotten one does not hold locks for ever.
  std::chrono::milliseconds transaction_time{60'000};
  std::string application_name = "cameleer";  ///< as pg_stat_activity shows it; one in `conninfo` wins
  /// Told in one line when a connection is made, lost or refused; for logs. May be empty.
  std::function<void(std::string_view)> notice = {};
};

/// A connection of one's own, for BEGIN … COMMIT. Destroyed without commit(): rolled back in the background, and the
/// connection is used again. After a failed statement PostgreSQL refuses all further ones (`25P02`), commit() included.
/// Must not be destroyed while one of its tasks is awaited.
class Transaction {
 public:
  virtual ~Transaction() = default;
  virtual async::Task<Outcome<Result>> query(std::string sql, Parameters parameters = {}) = 0;
  /// Ends the transaction whatever the outcome. After `unavailable` or `upstream_timeout` nobody knows whether the
  /// server committed.
  virtual async::Task<Outcome<void>> commit() = 0;
  virtual async::Task<Outcome<void>> rollback() = 0;
};

/// Connections that make and remake themselves (after 100 ms, doubling to 2 s). Statements are prepared once a
/// connection and kept by their text (256 of them), so repeated text with parameters costs no parsing.
///
/// Deadlines: a statement waits at most `statement_time` in all. Without a connection it then fails with `unavailable`.
/// A sent one fails with `upstream_timeout`, its connection is replaced, and the others in flight on that connection
/// fail with `unavailable`: they may have run, so they are not run again. The io_context must outlive the pool and has
/// work until close() or ~Pool. A host name in `conninfo` is resolved without blocking the I/O thread.
class Pool {
 public:
  Pool(async::Executor executor, PoolOptions options);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// One statement, its own implicit transaction, pipelined with others' statements. Reconnects by itself; a statement
  /// that may have run is not run again. One statement a text; no COPY, no LISTEN.
  async::Task<Outcome<Result>> query(std::string sql, Parameters parameters = {});
  /// At most `connections` - 1 transactions (one, when there is one
  /// connection) run at a time, so that single statements always find a connection; further ones wait.
  async::Task<Outcome<std::unique_ptr<Transaction>>> begin();
  /// `select 1` within the deadline; what readiness shows.
  async::Task<Expected<void>> ping();
  /// Refuses new statements, fails unsent ones with `unavailable`, lets sent ones and open transactions end for up to
  /// `statement_time` (at most 5 s), then ends all connections. Returns when they are gone.
  async::Task<> close();

 private:
  friend async::Task<Expected<void>> migrate(Pool& pool, std::string schema, std::span<const embedded::File> files);
  std::shared_ptr<PoolCore> core_;
};

}  // namespace cameleer::postgres
