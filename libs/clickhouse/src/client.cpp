#include <fmt/format.h>
#include <zstd.h>

#include <charconv>

#include "client_impl.hpp"
#include "engine_error.hpp"
#include "row_reader.hpp"

namespace cameleer::clickhouse {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kMaxErrorText = std::size_t{64} * 1024;

std::unexpected<EngineError> refuse(ErrorCode code, std::string message) {
  return std::unexpected(transport_error(Error{code, std::move(message)}));
}

std::unexpected<EngineError> lost(Error error) {
  return std::unexpected(transport_error(std::move(error)));
}

std::chrono::milliseconds left_until(Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
  return std::max(left, std::chrono::milliseconds(0));
}

/// Takes the engine's report of a failure out of a body whose status was 200 already. The report follows a tag that
/// the answer's header announced, so that no row can look like one.
class ExceptionGuard {
 public:
  explicit ExceptionGuard(std::string_view tag) {
    if (!tag.empty()) marker_ = fmt::format("__exception__\r\n{}", tag);
  }

  /// Bytes that are rows for certain.
  std::string pass(std::string piece) {
    if (marker_.empty()) {
      remember(piece);
      return piece;
    }
    held_ += piece;
    if (reported_) {
      held_.resize(std::min(held_.size(), kMaxErrorText));
      return {};
    }
    if (const auto at = held_.find(marker_); at != std::string::npos) {
      reported_ = true;
      held_.erase(0, at + marker_.size());
      return {};
    }
    const auto keep = std::min(held_.size(), marker_.size() - 1);
    auto rows = held_.substr(0, held_.size() - keep);
    held_.erase(0, rows.size());
    return rows;
  }

  /// At the end: the bytes that were held back.
  std::string rest() { return marker_.empty() || reported_ ? std::string() : std::exchange(held_, {}); }

  [[nodiscard]] bool reported() const { return reported_; }
  [[nodiscard]] std::optional<EngineError> exception() const {
    if (reported_ || marker_.empty()) return find_exception(held_);
    return std::nullopt;
  }

 private:
  /// An engine without the tag writes its exception as it is; it is looked for only when the answer is broken anyway.
  void remember(const std::string& piece) {
    constexpr std::size_t kTail = std::size_t{16} * 1024;
    held_ += piece;
    if (held_.size() > 2 * kTail) held_.erase(0, held_.size() - kTail);
  }

  std::string marker_;
  std::string held_;
  bool reported_ = false;
};

EngineError broken(const ExceptionGuard& guard, Error error) {
  if (auto exception = guard.exception()) return std::move(*exception);
  return transport_error(std::move(error));
}

async::Task<EngineError> read_refusal(web::ClientStream& stream, Clock::time_point deadline) {
  std::string body;
  while (body.size() < kMaxErrorText) {
    auto piece = co_await stream.next(left_until(deadline));
    if (!piece || piece->empty()) break;
    body += *piece;
  }
  co_return engine_error(stream.head(), body);
}

async::Task<Outcome<void>> read_rows(web::ClientStream& stream, Clock::time_point deadline,
                                     const RowReader::OnRow& on_row) {
  ExceptionGuard guard(stream.head().header("X-ClickHouse-Exception-Tag"));
  RowReader reader;
  std::optional<Error> undecodable;  // what follows it may still tell why
  for (;;) {
    auto piece = co_await stream.next(left_until(deadline));
    if (!piece) co_return std::unexpected(broken(guard, undecodable.value_or(std::move(piece.error()))));
    const bool ended = piece->empty();
    const auto rows = ended ? guard.rest() : guard.pass(std::move(*piece));
    if (!undecodable && !guard.reported()) {
      auto progress = reader.push(rows, on_row);
      if (progress && *progress == RowReader::Progress::more && ended) progress = reader.finish(on_row);
      if (!progress) {
        undecodable = std::move(progress.error());
      } else if (*progress == RowReader::Progress::stopped) {
        co_return Outcome<void>();
      }
    }
    if (!ended) continue;
    if (undecodable || guard.reported()) {
      co_return std::unexpected(
          broken(guard, undecodable.value_or(Error{ErrorCode::upstream_error, "ClickHouse broke off its answer."})));
    }
    co_return Outcome<void>();
  }
}

bool failed(const web::ClientResponse& answer) {
  return answer.status != 200 || !answer.header("X-ClickHouse-Exception-Code").empty();
}

/// Columns and rows that a Native block says it has.
std::pair<std::uint64_t, std::uint64_t> size_of_block(const std::string& body) {
  ByteCursor cursor{body.data(), body.data() + body.size()};
  std::uint64_t columns = 0;
  std::uint64_t rows = 0;
  if (scan_varint(cursor, columns) != Scan::whole || scan_varint(cursor, rows) != Scan::whole) return {0, 0};
  return {columns, rows};
}

std::optional<std::string> compressed(const std::string& body) {
  std::string out(ZSTD_compressBound(body.size()), '\0');
  const auto size = ZSTD_compress(out.data(), out.size(), body.data(), body.size(), 1);
  if (ZSTD_isError(size) != 0) return std::nullopt;
  out.resize(size);
  return out;
}

async::Task<Outcome<void>> refused_block() {
  co_return refuse(ErrorCode::internal, "A block needs rows, and the columns that it was announced with.");
}

}  // namespace

std::string quote_identifier(std::string_view name) {
  std::string quoted = "`";
  for (const char c : name) {
    if (c == '`' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  return quoted + "`";
}

Client::Impl::Impl(async::Executor executor, Options given) : options(std::move(given)) {
  auto endpoint = web::Endpoint::parse(options.url);
  if (!endpoint) {
    no_client = std::move(endpoint.error());
    return;
  }
  web::ClientOptions pooled;
  pooled.max_connections = options.connections;
  http.emplace(executor, std::move(*endpoint), pooled);
}

web::ClientRequest Client::Impl::request_for(std::string_view database, const Parameters& parameters,
                                             std::chrono::milliseconds time) const {
  web::ClientRequest request;
  request.method = web::Method::post;
  request.deadline = time;
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(time).count();
  request.target = fmt::format("/?max_execution_time={}", seconds);
  if (!database.empty()) request.target += "&database=" + web::percent_encode(database);
  for (const auto& [name, value] : parameters) {
    request.target += fmt::format("&param_{}={}", web::percent_encode(name), web::percent_encode(value));
  }
  request.headers.push_back({"X-ClickHouse-User", options.user});
  if (!options.password.empty()) request.headers.push_back({"X-ClickHouse-Key", options.password});
  return request;
}

async::Task<Outcome<web::ClientResponse>> Client::Impl::send(web::ClientRequest request) {
  if (!http) co_return lost(no_client);
  auto answer = co_await http->send(std::move(request));
  if (!answer) co_return lost(std::move(answer.error()));
  if (failed(*answer)) co_return std::unexpected(engine_error(*answer, answer->body));
  co_return std::move(*answer);
}

async::Task<Outcome<void>> Client::Impl::execute(Statement statement) {
  const auto self = shared_from_this();
  auto request = request_for(statement.database, statement.parameters, options.query_time);
  request.target += "&wait_end_of_query=1";
  request.body = std::move(statement.sql);
  auto answer = co_await send(std::move(request));
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  co_return Outcome<void>();
}

async::Task<Outcome<void>> Client::Impl::insert(std::string query, std::string body, std::string deduplication_token) {
  const auto self = shared_from_this();
  auto request = request_for(options.database, {}, options.insert_time);
  // Rows of one identity are merged in the background and when they are read, not before each part is written: that
  // would cost more than half of the insert.
  request.target += "&wait_end_of_query=1&optimize_on_insert=0&query=" + web::percent_encode(query);
  if (!deduplication_token.empty()) {
    request.target += "&insert_deduplication_token=" + web::percent_encode(deduplication_token);
  } else {
    // A table with a deduplication log has it written before the part gets its name: after a death between the two, a
    // repeated insert would be taken for a double, and its rows would be nowhere.
    request.target += "&deduplicate_insert=disable";
  }
  request.headers.push_back({"Content-Type", "application/octet-stream"});
  request.body = std::move(body);
  if (options.compress) {
    if (auto smaller = compressed(request.body)) {
      request.body = std::move(*smaller);
      request.headers.push_back({"Content-Encoding", "zstd"});
    }
  }
  auto answer = co_await send(std::move(request));
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  co_return Outcome<void>();
}

async::Task<Outcome<void>> Client::Impl::select(Statement statement, std::function<bool(const Row&)> on_row) {
  const auto self = shared_from_this();
  if (!http) co_return lost(no_client);
  const auto deadline = Clock::now() + options.query_time;
  auto request = request_for(statement.database, statement.parameters, options.query_time);
  request.target += "&default_format=RowBinaryWithNamesAndTypes&cancel_http_readonly_queries_on_client_close=1";
  request.body = std::move(statement.sql);
  request.idempotent = true;
  auto stream = co_await http->open(std::move(request));
  if (!stream) co_return lost(std::move(stream.error()));
  if (failed((*stream)->head())) co_return std::unexpected(co_await read_refusal(**stream, deadline));
  co_return co_await read_rows(**stream, deadline, on_row);
}

async::Task<Expected<void>> Client::Impl::ping() {
  const auto self = shared_from_this();
  if (!http) co_return std::unexpected(no_client);
  web::ClientRequest request;
  request.target = "/ping";
  request.deadline = std::min(options.query_time, std::chrono::milliseconds(5'000));
  request.idempotent = true;
  auto answer = co_await http->send(std::move(request));
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  if (failed(*answer)) co_return std::unexpected(engine_error(*answer, answer->body).error);
  co_return Expected<void>();
}

async::Task<Outcome<std::pair<int, int>>> Client::Impl::version() {
  std::string text;
  auto asked = co_await select({"SELECT version() AS version", {}, {}}, [&text](const Row& row) {
    text = row.text(0);
    return true;
  });
  if (!asked) co_return std::unexpected(std::move(asked.error()));
  int year = 0;
  int month = 0;
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, year);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '.' ||
      std::from_chars(first.ptr + 1, end, month).ec != std::errc()) {
    co_return refuse(ErrorCode::upstream_error, "ClickHouse told no version.");
  }
  co_return std::pair(year, month);
}

Client::Client(async::Executor executor, Options options)
    : impl_(std::make_shared<Impl>(executor, std::move(options))) {}
Client::~Client() = default;

async::Task<Expected<void>> Client::ping() {
  return impl_->ping();
}

async::Task<Outcome<void>> Client::execute(std::string sql, Parameters parameters) {
  return impl_->execute({std::move(sql), std::move(parameters), impl_->options.database});
}

async::Task<Outcome<void>> Client::insert(std::string table, std::span<const Block::Column> columns, std::string body,
                                          std::string deduplication_token) {
  const auto [announced, rows] = size_of_block(body);
  if (rows == 0 || announced != columns.size()) return refused_block();
  std::string names;
  for (const auto& column : columns) names += (names.empty() ? "" : ", ") + quote_identifier(column.name);
  std::string target;
  for (std::string_view rest = table; !rest.empty();) {
    const auto dot = std::min(rest.find('.'), rest.size());
    target += (target.empty() ? "" : ".") + quote_identifier(rest.substr(0, dot));
    rest.remove_prefix(std::min(dot + 1, rest.size()));
  }
  return impl_->insert(fmt::format("INSERT INTO {} ({}) FORMAT Native", target, names), std::move(body),
                       std::move(deduplication_token));
}

async::Task<Outcome<void>> Client::select(std::string sql, Parameters parameters,
                                          std::function<bool(const Row&)> on_row) {
  return impl_->select({std::move(sql), std::move(parameters), impl_->options.database}, std::move(on_row));
}

async::Task<Outcome<std::pair<int, int>>> Client::version() {
  return impl_->version();
}

}  // namespace cameleer::clickhouse
