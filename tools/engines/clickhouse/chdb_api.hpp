#pragma once
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// libchdb, the ClickHouse engine as a library, loaded at run time: its C calls behind owning handles.
///
/// Rules that libchdb 26.7 does not forgive:
///  - data never travels inside SQL: what follows a blank line of inline data runs as a statement (use InsertStream);
///  - one statement at a time on a connection; a fetch or an append blocks;
///  - every connection is closed before the process leaves main;
///  - glibc's malloc and no address sanitizer in the process.
namespace cameleer::engine {

/// An error as ClickHouse reports it: `text` starts with `Code: N. DB::Exception: `.
struct EngineError {
  int code = 0;
  std::string text;
};

/// Makes an error of this program's own with ClickHouse's number and name.
EngineError make_error(int code, std::string_view name, std::string_view message);
/// Takes the number out of ClickHouse's text; a text without one becomes UNKNOWN_EXCEPTION (1002).
EngineError parse_error(std::string_view text);

template <class T>
using Result = std::expected<T, EngineError>;

struct ChdbHandle {
  void* internal;
};
using ChdbConnectionRef = ChdbHandle*;
using ChdbInsertRef = ChdbHandle*;
struct ChdbAnalysis {
  std::uint32_t struct_size;
  std::uint32_t statement_count;
  std::uint32_t flags;
  std::uint32_t query_class;
};

/// The calls of the library that are used here, resolved once. Lives as long as the process.
struct ChdbApi {
  const char* (*version)();
  void (*set_signal_handlers_enabled)(int);
  ChdbConnectionRef* (*connect)(int, char**);
  void (*close)(ChdbConnectionRef*);
  ChdbHandle* (*query)(ChdbConnectionRef, const char*, std::size_t, const char*, std::size_t, const char* const*,
                       const std::size_t*, const char* const*, const std::size_t*, std::size_t);
  ChdbHandle* (*stream)(ChdbConnectionRef, const char*, std::size_t, const char*, std::size_t, const char* const*,
                        const std::size_t*, const char* const*, const std::size_t*, std::size_t);
  ChdbHandle* (*fetch)(ChdbConnectionRef, ChdbHandle*);
  void (*cancel)(ChdbConnectionRef, ChdbHandle*);
  void (*destroy_result)(ChdbHandle*);
  const char* (*buffer)(ChdbHandle*);
  std::size_t (*length)(ChdbHandle*);
  const char* (*error)(ChdbHandle*);
  std::uint64_t (*storage_rows_read)(ChdbHandle*);
  std::uint64_t (*storage_bytes_read)(ChdbHandle*);
  std::uint64_t (*rows_written)(ChdbHandle*);
  std::uint64_t (*bytes_written)(ChdbHandle*);
  ChdbInsertRef (*insert)(ChdbConnectionRef, const char*, std::size_t, const char*, std::size_t, const char* const*,
                          const std::size_t*, const char* const*, const std::size_t*, std::size_t);
  const char* (*insert_error)(ChdbInsertRef);
  int (*append)(ChdbInsertRef, const void*, std::size_t);
  ChdbHandle* (*done)(ChdbInsertRef);
  void (*cancel_insert)(ChdbInsertRef);
  void (*destroy_insert)(ChdbInsertRef);
  int (*classify)(ChdbConnectionRef, const char*, std::size_t, const char*, std::size_t, ChdbAnalysis*);
};

/// Loads the library at `path`; the error is one sentence.
std::expected<ChdbApi, std::string> load_chdb(const std::string& path);

/// Values of `{name:Type}` placeholders, in ClickHouse's TSV-escaped form.
using Parameters = std::vector<std::pair<std::string, std::string>>;

/// What a statement read and wrote, for `X-ClickHouse-Summary`.
struct Counts {
  std::uint64_t read_rows = 0;
  std::uint64_t read_bytes = 0;
  std::uint64_t written_rows = 0;
  std::uint64_t written_bytes = 0;
};

class ChdbConnection;

/// A result or a block of one.
class ChdbBlock {
 public:
  ChdbBlock(const ChdbApi& api, ChdbHandle* handle) : api_(&api), handle_(handle, api.destroy_result) {}
  [[nodiscard]] std::string_view bytes() const;
  /// Empty optional behaviour by code 0: no error.
  [[nodiscard]] bool failed() const;
  [[nodiscard]] EngineError error() const;
  void add_counts(Counts& counts) const;
  [[nodiscard]] ChdbHandle* get() const { return handle_.get(); }

 private:
  const ChdbApi* api_;
  std::unique_ptr<ChdbHandle, void (*)(ChdbHandle*)> handle_;
};

/// A SELECT that is read block by block. Destroying it before its end cancels the query. Not longer than its
/// connection.
class ChdbStream {
 public:
  ChdbStream(const ChdbApi& api, ChdbConnectionRef connection, ChdbBlock head)
      : api_(&api), connection_(connection), head_(std::move(head)) {}
  ChdbStream(ChdbStream&& other) noexcept;
  ChdbStream& operator=(ChdbStream&&) = delete;
  ~ChdbStream();
  /// The next bytes; empty at the end. Blocks until the engine has some.
  Result<ChdbBlock> next();

 private:
  const ChdbApi* api_;
  ChdbConnectionRef connection_;
  ChdbBlock head_;
  bool running_ = true;
};

/// Rows on their way into a table. Destroying it without `commit` stores nothing of the block in progress.
class ChdbInsert {
 public:
  ChdbInsert(const ChdbApi& api, ChdbInsertRef handle) : api_(&api), handle_(handle, api.destroy_insert) {}
  /// False when the engine has already given up: `commit` then tells why.
  bool append(std::string_view bytes);
  Result<Counts> commit();
  void cancel();

 private:
  const ChdbApi* api_;
  std::unique_ptr<ChdbHandle, void (*)(ChdbInsertRef)> handle_;
};

/// One connection of the engine; one thread at a time.
class ChdbConnection {
 public:
  /// nullptr when the engine refuses (its reason is on stderr).
  static std::unique_ptr<ChdbConnection> open(const ChdbApi& api, const std::vector<std::string>& arguments);
  ~ChdbConnection() { api_->close(handle_); }
  ChdbConnection(const ChdbConnection&) = delete;
  ChdbConnection& operator=(const ChdbConnection&) = delete;

  /// What the engine's own parser makes of `sql`.
  [[nodiscard]] ChdbAnalysis classify(std::string_view sql) const;
  /// Runs a statement that holds no data and collects its whole output.
  Result<ChdbBlock> query(std::string_view sql, std::string_view format, const Parameters& parameters = {});
  /// Starts a SELECT. Error 36 with `is_not_streamable` for any other statement, which then has not run.
  Result<ChdbStream> stream(std::string_view sql, std::string_view format, const Parameters& parameters);
  /// `sql`: an INSERT without its FORMAT clause and data.
  Result<ChdbInsert> insert(std::string_view sql, std::string_view format, const Parameters& parameters);

 private:
  ChdbConnection(const ChdbApi& api, ChdbConnectionRef* handle) : api_(&api), handle_(handle) {}
  const ChdbApi* api_;
  ChdbConnectionRef* handle_;
};

bool is_not_streamable(const EngineError& error);

}  // namespace cameleer::engine
