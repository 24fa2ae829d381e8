#pragma once
#include <cameleer/clickhouse/block.hpp>
#include <cameleer/core/embedded.hpp>
#include <cameleer/web/client.hpp>

/// ClickHouse over its HTTP interface. All of it runs on the I/O thread.
namespace cameleer::clickhouse {

struct Options {
  std::string url;  ///< http(s)://host:port
  std::string user = "default";
  std::string password;
  std::string database;
  std::size_t connections = 8;
  std::chrono::milliseconds query_time{30'000};
  std::chrono::milliseconds insert_time{60'000};
  bool compress = false;  ///< bodies of inserts as zstd; worth it to a remote engine only
};

/// A failed statement keeps ClickHouse's exception code (0: the engine never answered).
struct EngineError {
  Error error;  ///< `unavailable`, `upstream_timeout`, `overloaded` (memory, too many queries) or `upstream_error`
  int code = 0;
  std::string text = {};  ///< the engine's own words, which may quote SQL and data: for the log, never for a caller
};
template <class T>
using Outcome = std::expected<T, EngineError>;

/// A value for `{name:Type}` in the SQL. Values are escaped as the interface wants them; SQL is never built from them.
struct Parameter {
  std::string name;
  std::string value;  ///< escaped already: use the makers below
  static Parameter text(std::string name, std::string_view value);
  static Parameter integer(std::string name, std::int64_t value);
  static Parameter instant(std::string name, std::int64_t milliseconds);          ///< for DateTime64(3), 1970 and later
  static Parameter texts(std::string name, std::span<const std::string> values);  ///< for Array(String)
};
using Parameters = std::vector<Parameter>;

/// One row of an answer, read from RowBinaryWithNamesAndTypes. Views live until the callback returns.
class Row {
 public:
  virtual ~Row() = default;
  [[nodiscard]] virtual std::size_t column(std::string_view name) const = 0;  ///< an unknown name is a bug (throws)
  [[nodiscard]] virtual bool is_null(std::size_t column) const = 0;
  [[nodiscard]] virtual std::string_view text(std::size_t column) const = 0;
  [[nodiscard]] virtual std::int64_t integer(
      std::size_t column) const = 0;  ///< any integer, Bool, or DateTime64 in its ticks
  [[nodiscard]] virtual double number(std::size_t column) const = 0;
  [[nodiscard]] virtual std::vector<std::pair<std::string, std::string>> map(std::size_t column) const = 0;
  [[nodiscard]] virtual std::vector<std::string> array(std::size_t column) const = 0;
};

/// May be destroyed while its calls are under way. An `options.url` that is none fails every call
/// (`bad_configuration`).
class Client {
 public:
  Client(async::Executor executor, Options options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  async::Task<Expected<void>> ping();
  /// DDL and other statements without rows.
  async::Task<Outcome<void>> execute(std::string sql, Parameters parameters = {});
  /// Native insert; answers when the engine has written the part. `body` is Block::encode_native() of columns in the
  /// order of `columns`; one without rows is refused (`internal`). `deduplication_token` empty: the engine takes the
  /// rows even if its deduplication log knows them.
  async::Task<Outcome<void>> insert(std::string table, std::span<const Block::Column> columns, std::string body,
                                    std::string deduplication_token = {});
  /// Streams rows to `on_row` in constant memory; false from it stops the query. A stream cut short is an error even
  /// if rows were seen. `query_time` bounds the whole of it.
  async::Task<Outcome<void>> select(std::string sql, Parameters parameters, std::function<bool(const Row&)> on_row);
  /// Version as (year, month), e.g. 26.7; checked at start.
  async::Task<Outcome<std::pair<int, int>>> version();

 private:
  friend async::Task<Expected<void>> migrate(Client& client, std::string database,
                                             std::span<const embedded::File> files);
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

/// `V0001__name.sql` files (statements separated by a line that is only `;`), applied in order into `database`, which
/// is created when missing. ClickHouse has no transactional DDL: every statement is idempotent (IF NOT EXISTS), noted
/// in `schema_migrations` (ReplacingMergeTree) with the file's SHA-256, so that processes starting at once are
/// harmless. Errors (`bad_configuration`): a wrong or double file name, a gap, a file that was changed after it ran, a
/// database that is newer than this program; else those of the engine, with its own words.
async::Task<Expected<void>> migrate(Client& client, std::string database, std::span<const embedded::File> files);

}  // namespace cameleer::clickhouse
