#include "query_handler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "access.hpp"
#include "block_output.hpp"
#include "error_status.hpp"
#include "request_statement.hpp"

namespace cameleer::engine {
namespace {

constexpr std::size_t first_flush = 64 * 1024;
constexpr std::size_t max_held_back = 64 * 1024 * 1024;
constexpr int network_error = 210;

enum QueryClass : std::uint32_t { read_only = 0, control = 3, unknown = 4 };

std::string_view content_type(std::string_view format) {
  if (format.starts_with("JSONEachRow") || format.starts_with("JSONCompactEachRow"))
    return "application/x-ndjson; charset=UTF-8";
  if (format.starts_with("JSON")) return "application/json; charset=UTF-8";
  if (format.starts_with("CSV")) return "text/csv; charset=UTF-8; header=absent";
  if (format.starts_with("TabSeparated") || format.starts_with("TSV"))
    return "text/tab-separated-values; charset=UTF-8";
  if (format == "Native" || format.starts_with("RowBinary") || format == "Parquet" || format.starts_with("Arrow")) {
    return "application/octet-stream";
  }
  return "text/plain; charset=UTF-8";
}

std::string random_tag() {
  std::random_device random;
  std::string tag;
  for (int i = 0; i < 16; ++i) tag.push_back(static_cast<char>('a' + random() % 26));
  return tag;
}

/// One request on its way through the engine.
class Exchange {
 public:
  Exchange(SessionPool& pool, QueryWatch& watch, RequestReader& request, Response& response, int socket)
      : pool_(pool), watch_(watch), request_(request), response_(response), socket_(socket), tag_(random_tag()) {}

  void run() {
    if (auto read = read_statement(request_, asked_); !read) return fail(read.error());
    response_.set("X-ClickHouse-Query-Id", asked_.query_id);
    if (asked_.statement.writes_file) {
      return fail(make_error(358, "INTO_OUTFILE_NOT_ALLOWED", "INTO OUTFILE is not allowed"));
    }
    if (asked_.statement.kind == StatementKind::nothing) {
      return fail(make_error(62, "SYNTAX_ERROR", "Syntax error: failed at position 1 (end of query): Empty query"));
    }
    auto session = pool_.acquire(asked_.setup);
    if (!session) return fail(session.error());
    const bool inserts = asked_.statement.kind == StatementKind::insert_data ||
                         (asked_.statement.kind == StatementKind::insert_no_format && explicit_format());
    if (inserts) {
      insert(*session);
    } else {
      query(*session);
    }
  }

 private:
  [[nodiscard]] bool explicit_format() const {
    return !request_.parameter("default_format").empty() || !request_.header("X-ClickHouse-Format").empty();
  }

  void fail(EngineError error) {
    if (error.code == network_error) {  // nobody is there to read an answer
      response_.close_after();
      return;
    }
    if (!response_.started()) return send_error(response_, error);
    error.text.resize(std::min(error.text.size(), std::size_t{15 * 1024}));
    response_.chunk(fmt::format("\r\n__exception__\r\n{}\r\n{}\n{} {}\r\n__exception__\r\n", tag_, error.text,
                                error.text.size(), tag_));
    response_.cut();
  }

  void describe() {
    const auto elapsed =
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start_);
    response_.set(
        "X-ClickHouse-Summary",
        fmt::format(
            R"({{"read_rows":"{}","read_bytes":"{}","written_rows":"{}","written_bytes":"{}","elapsed_ns":"{}"}})",
            counts_.read_rows, counts_.read_bytes, counts_.written_rows, counts_.written_bytes, elapsed.count()));
    response_.set("X-ClickHouse-Exception-Tag", tag_);
    response_.set("X-ClickHouse-Format", asked_.format);
    response_.set("Content-Type", content_type(asked_.format));
  }

  void insert(SessionPool::Lease& session) {
    const QueryWatch::Entry entry(watch_, -1);
    const auto broken = [&](EngineError error) {
      session.discard();
      error.text = entry.without_mark(std::move(error.text));
      fail(std::move(error));
    };
    auto rows = session->insert(std::string(asked_.statement.sql) + entry.mark(), asked_.format, asked_.parameters);
    if (!rows) return broken(rows.error());
    bool taken = asked_.leading_data.empty() || rows->append(asked_.leading_data);
    while (taken) {
      auto bytes = request_.read_body();
      if (!bytes) {  // an incomplete body must not become rows
        rows->cancel();
        return broken(bytes.error());
      }
      if (bytes->empty()) break;
      taken = rows->append(*bytes);
    }
    auto written = rows->commit();
    if (!written) return broken(written.error());
    counts_ = *written;
    describe();
    response_.send(200, "");
  }

  void query(SessionPool::Lease& session) {
    const std::string_view sql = asked_.statement.sql;
    const ChdbAnalysis analysis = session->classify(sql);
    const bool parallel = sql.contains("PARALLEL") || sql.contains("parallel");
    if (analysis.statement_count > 1 && !parallel) {
      return fail(make_error(62, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed)"));
    }
    if (analysis.query_class == control || analysis.query_class == unknown) session.discard();
    const bool reads = analysis.query_class == read_only;
    const QueryWatch::Entry entry(watch_, reads ? socket_ : -1);
    const std::string marked = std::string(sql) + entry.mark();
    const auto broken = [&](EngineError error) {
      session.discard();
      error.text = entry.without_mark(std::move(error.text));
      fail(std::move(error));
    };
    // Text that the engine's parser does not know goes here too: it says what is wrong and runs nothing.
    if ((reads && blocks_join(asked_.format)) || analysis.statement_count == 0) {
      auto stream = session->stream(marked, asked_.format, asked_.parameters);
      if (stream) {
        if (auto sent = send_stream(*stream); !sent) broken(sent.error());
        if (response_.failed()) session.discard();
        return;
      }
      if (!is_not_streamable(stream.error()) || analysis.statement_count == 0) return broken(stream.error());
    }
    auto block = session->query(marked, asked_.format, asked_.parameters);
    if (!block) return broken(block.error());
    block->add_counts(counts_);
    describe();
    response_.send(200, block->bytes());
  }

  Result<void> send_stream(ChdbStream& stream) {
    std::string held;
    bool first = true;
    while (!response_.failed()) {
      auto block = stream.next();
      if (!block) return std::unexpected(block.error());
      block->add_counts(counts_);
      if (block->bytes().empty()) break;
      const std::string_view bytes = block->bytes().substr(first ? 0 : repeated_head(asked_.format, block->bytes()));
      first = false;
      if (bytes.empty()) continue;
      if (response_.started()) {
        response_.chunk(bytes);
        continue;
      }
      held.append(bytes);
      if (asked_.wait_end_of_query) {
        if (held.size() <= max_held_back) continue;
        return std::unexpected(make_error(396, "TOO_MANY_ROWS_OR_BYTES",
                                          "The result is larger than wait_end_of_query can hold back (64 MiB)"));
      }
      if (held.size() >= first_flush) {
        describe();
        response_.begin(200);
        response_.chunk(held);
        held = {};
      }
    }
    if (response_.started()) {
      response_.finish();
    } else {
      describe();
      response_.send(200, held);
    }
    return {};
  }

  SessionPool& pool_;
  QueryWatch& watch_;
  RequestReader& request_;
  Response& response_;
  int socket_;
  std::string tag_;
  RequestStatement asked_;
  Counts counts_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

void send_error(Response& response, const EngineError& error) {
  response.set("X-ClickHouse-Exception-Code", fmt::format("{}", error.code));
  response.set("Content-Type", "text/plain; charset=UTF-8");
  response.send(http_status_of(error.code), error.text + "\n");
}

void QueryHandler::handle(RequestReader& request, Response& response, int socket) {
  const std::string_view method = request.method();
  const bool head = method == "HEAD";
  const bool reads = method == "GET" || head;
  if (reads && request.path() == "/ping") {
    response.set("Content-Type", "text/html; charset=UTF-8");
    response.send(200, "Ok.\n", head);
    return;
  }
  if (request.path() != "/" || (!reads && method != "POST")) {
    response.set("Content-Type", "text/plain; charset=UTF-8");
    response.send(request.path() != "/" ? 404 : 501,
                  fmt::format("There is no handle {} {}\n\nUse / or /ping for health checks.\n"
                              "Send queries from your program with POST method or GET /?query=...\n",
                              method, request.path()),
                  head);
    return;
  }
  if (reads && request.parameter("query").empty()) {
    response.send(200, "Ok.\n", head);
    return;
  }
  if (const auto refused = refuse_access(request, credentials_)) {
    if (refused->status == 401) response.set("WWW-Authenticate", "Basic realm=\"ClickHouse server HTTP API\"");
    response.set("X-ClickHouse-Exception-Code", fmt::format("{}", refused->error.code));
    response.set("Content-Type", "text/plain; charset=UTF-8");
    response.send(refused->status, refused->error.text + "\n");
    return;
  }
  Exchange(pool_, watch_, request, response, socket).run();
}

}  // namespace cameleer::engine
