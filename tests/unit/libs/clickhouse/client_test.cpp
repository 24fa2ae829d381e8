#include "engine_session.hpp"
#include "scripted_peer.hpp"

using namespace cameleer;
using namespace cameleer::clickhouse;
using namespace std::chrono_literals;
using namespace std::string_literals;
using async::Executor;
using async::Task;
using test::options_for;
using test::PrivateEngine;

namespace {

std::string header_and(std::string_view headers, std::string_view body, bool last_chunk = true) {
  return fmt::format("HTTP/1.1 200 OK\r\n{}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n{}", headers, body.size(),
                     body, last_chunk ? "0\r\n\r\n" : "");
}

/// One column `x` of UInt8, two rows.
const std::string kTwoRows = "\x01\x01x\x05UInt8\x01\x02"s;

}  // namespace

TEST_CASE("the engine answers, and tells its version") {
  test::run([&](Executor executor) -> Task<> {
    Client client(executor, options_for(PrivateEngine::shared()));
    CHECK((co_await client.ping()).has_value());
    const auto version = co_await client.version();
    REQUIRE_WORKED(version);
    CHECK(version->first >= 26);
    CHECK(version->second >= 1);
  });
}

TEST_CASE("parameters arrive as they were given") {
  std::string every_byte;
  for (int c = 0; c < 256; ++c) every_byte.push_back(static_cast<char>(c));
  const std::string texts[] = {"",
                               "\\",
                               "\\n",
                               "\n\n",
                               "\t",
                               "'",
                               "\\N",
                               "a b+c%20&d=e#f?",
                               "') OR 1=1 --",
                               "{x:String}",
                               "ünï",
                               "\0"s,
                               every_byte,
                               "`\"",
                               "\r\n",
                               std::string(50'000, '\'')};
  test::run([&](Executor executor) -> Task<> {
    Client client(executor, options_for(PrivateEngine::shared()));
    for (const auto& text : texts) {
      CAPTURE(text.substr(0, 300));
      const std::vector<std::string> list{text, "", text};
      std::string back;
      std::vector<std::string> list_back;
      Parameters parameters{Parameter::text("t", text), Parameter::texts("l", list)};
      REQUIRE_WORKED(co_await client.select("SELECT {t:String} AS t, {l:Array(String)} AS l", std::move(parameters),
                                            [&](const Row& row) {
                                              back = row.text(0);
                                              list_back = row.array(1);
                                              return true;
                                            }));
      CHECK(back == text);
      CHECK(list_back == list);
    }
    std::vector<std::string> none{"unset"};
    Parameters parameters{Parameter::texts("l", {})};
    REQUIRE_WORKED(co_await client.select("SELECT {l:Array(String)} AS l", std::move(parameters), [&](const Row& row) {
      none = row.array(0);
      return true;
    }));
    CHECK(none.empty());
  });
}

TEST_CASE("numbers and instants are parameters too") {
  test::run([&](Executor executor) -> Task<> {
    Client client(executor, options_for(PrivateEngine::shared()));
    for (const std::int64_t value : {std::int64_t{0}, std::int64_t{1}, std::int64_t{1'795'309'323'456},
                                     std::int64_t{999}, std::int64_t{1'000}, std::int64_t{9'000'000'000'007}}) {
      CAPTURE(value);
      Parameters parameters{Parameter::integer("i", -value), Parameter::instant("t", value)};
      std::int64_t integer = 5;
      std::int64_t instant = 5;
      REQUIRE_WORKED(co_await client.select("SELECT {i:Int64} AS i, {t:DateTime64(3)} AS t", std::move(parameters),
                                            [&](const Row& row) {
                                              integer = row.integer(0);
                                              instant = row.integer(1);
                                              return true;
                                            }));
      CHECK(integer == -value);
      CHECK(instant == value);
    }
  });
}

TEST_CASE("a refused statement keeps the engine's code") {
  struct Case {
    const char* sql;
    int code;
    ErrorCode kind;
  };
  const Case cases[] = {
      {"SELECT * FROM no_such_table", 60, ErrorCode::upstream_error},
      {"SELEC 1", 62, ErrorCode::upstream_error},
      {"SELECT {missing:String}", 456, ErrorCode::upstream_error},
      {"SELECT throwIf(number = 5) FROM numbers(10)", 395, ErrorCode::upstream_error},
      {"SELECT sleepEachRow(1) FROM numbers(3) SETTINGS max_block_size = 1, max_execution_time = 1", 159,
       ErrorCode::upstream_timeout},
      {"SELECT groupArray(number) FROM numbers(10000000) SETTINGS max_memory_usage = 1000000", 241,
       ErrorCode::overloaded},
  };
  test::run([&](Executor executor) -> Task<> {
    Client client(executor, options_for(PrivateEngine::shared()));
    for (const auto& one : cases) {
      CAPTURE(one.sql);
      const auto selected = co_await client.select(one.sql, {}, [](const Row&) { return true; });
      REQUIRE_FALSE(selected.has_value());
      CHECK(selected.error().code == one.code);
      CHECK(name_of(selected.error().error.code) == name_of(one.kind));
      CHECK(selected.error().error.message.find("SELEC") == std::string::npos);
      const auto executed = co_await client.execute(one.sql);
      REQUIRE_FALSE(executed.has_value());
      CHECK(executed.error().code == one.code);
    }
    Client elsewhere(executor, options_for(PrivateEngine::shared(), "no_such_database"));
    const auto refused = co_await elsewhere.execute("SELECT 1");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == 81);
  });
}

TEST_CASE("a failure in the middle of an answer is an error, however many rows came before") {
  test::run([&](Executor executor) -> Task<> {
    Client client(executor, options_for(PrivateEngine::shared()));
    std::size_t rows = 0;
    const auto outcome =
        co_await client.select("SELECT toString(throwIf(number = 3000000)) AS s, number FROM numbers(5000000)", {},
                               [&rows](const Row&) { return ++rows > 0; });
    REQUIRE_FALSE(outcome.has_value());
    CHECK(outcome.error().code == 395);
    CHECK(rows > 0);
    CHECK(rows <= 3'000'000);
    REQUIRE_WORKED(co_await client.execute("SELECT 1"));
  });
}

TEST_CASE("a reader may stop, and read much") {
  test::run([&](Executor executor) -> Task<> {
    Client client(executor, options_for(PrivateEngine::shared()));
    std::size_t rows = 0;
    REQUIRE_WORKED(co_await client.select("SELECT number FROM numbers(1000000000000)", {},
                                          [&rows](const Row&) { return ++rows < 1'000; }));
    CHECK(rows == 1'000);
    std::int64_t sum = 0;
    REQUIRE_WORKED(co_await client.select("SELECT number FROM numbers(1000000)", {}, [&sum](const Row& row) {
      sum += row.integer(0);
      return true;
    }));
    CHECK(sum == 499'999'500'000);
    rows = 0;
    REQUIRE_WORKED(
        co_await client.select("SELECT number FROM numbers(0)", {}, [&rows](const Row&) { return ++rows > 0; }));
    CHECK(rows == 0);
  });
}

TEST_CASE("a query is bounded by its time") {
  test::run([&](Executor executor) -> Task<> {
    auto options = options_for(PrivateEngine::shared());
    options.query_time = 300ms;
    Client client(executor, options);
    const auto outcome = co_await client.select("SELECT sleep(3)", {}, [](const Row&) { return true; });
    REQUIRE_FALSE(outcome.has_value());
    CHECK(name_of(outcome.error().error.code) == name_of(ErrorCode::upstream_timeout));
  });
}

TEST_CASE("an insert that does not fit is refused, by us or by the engine") {
  test::run([&](Executor executor) -> Task<> {
    const auto database = test::unique_database("refused");
    Client maker(executor, options_for(PrivateEngine::shared()));
    REQUIRE_WORKED(co_await maker.execute("CREATE DATABASE " + database));
    Client client(executor, options_for(PrivateEngine::shared(), database));
    REQUIRE_WORKED(co_await client.execute("CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a"));
    const std::vector<Block::Column> columns{{"a", "UInt8"}};
    Block block(columns);
    auto outcome = co_await client.insert("t", columns, block.encode_native());
    REQUIRE_FALSE(outcome.has_value());
    CHECK(outcome.error().error.code == ErrorCode::internal);

    block.append_uint(0, 7);
    auto body = block.encode_native();
    outcome = co_await client.insert("no_such_table", columns, body);
    REQUIRE_FALSE(outcome.has_value());
    CHECK(outcome.error().code == 60);

    outcome = co_await client.insert("t", columns, body.substr(0, body.size() - 1));
    CHECK_FALSE(outcome.has_value());
    REQUIRE_WORKED(co_await client.insert(database + ".t", columns, body, "token-1"));
    std::vector<std::int64_t> rows;
    REQUIRE_WORKED(co_await client.select("SELECT a FROM t", {}, [&](const Row& row) {
      rows.push_back(row.integer(0));
      return true;
    }));
    CHECK(rows == std::vector<std::int64_t>{7});
  });
}

TEST_CASE("answers that only pretend to be whole are errors") {
  const std::string tag = "X-ClickHouse-Exception-Tag: abcdefghijklmnop\r\n";
  const std::string report =
      "\r\n__exception__\r\nabcdefghijklmnop\r\nCode: 241. DB::Exception: Memory. (MEMORY_LIMIT_EXCEEDED)\n71 "
      "abcdefghijklmnop\r\n__exception__\r\n";
  struct Case {
    const char* name;
    std::string bytes;
    int code;
    ErrorCode kind;
  };
  const Case cases[] = {
      {"cut between rows", header_and("", kTwoRows, false), 0, ErrorCode::upstream_error},
      {"cut with a report", header_and(tag, kTwoRows + report, false), 241, ErrorCode::overloaded},
      {"ended with a report", header_and(tag, kTwoRows + report), 241, ErrorCode::overloaded},
      {"an old engine's report in place of rows",
       header_and("", "\x01\x01s\x06String\xff Code: 241. DB::Exception: Memory. (MEMORY_LIMIT_EXCEEDED)"), 241,
       ErrorCode::overloaded},
      {"half a row", header_and(tag, "\x01\x01x\x06UInt16\x01"), 0, ErrorCode::upstream_error},
      {"half a header", header_and("", "\x01\x01"), 0, ErrorCode::upstream_error},
      {"status without a code", "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy", 0, ErrorCode::unavailable},
      {"a code with status 200", "HTTP/1.1 200 OK\r\nX-ClickHouse-Exception-Code: 60\r\nContent-Length: 0\r\n\r\n", 60,
       ErrorCode::upstream_error},
      {"not HTTP", "SSH-2.0-OpenSSH\r\n", 0, ErrorCode::upstream_error},
  };
  for (const auto& one : cases) {
    CAPTURE(one.name);
    scripted::Server server([&](scripted::Connection& connection) {
      connection.request();
      connection.send(one.bytes);
    });
    test::run([&](Executor executor) -> Task<> {
      Options options;
      options.url = server.url();
      Client client(executor, options);
      const auto outcome = co_await client.select("SELECT 1", {}, [](const Row&) { return true; });
      REQUIRE_FALSE(outcome.has_value());
      CHECK(outcome.error().code == one.code);
      CHECK(name_of(outcome.error().error.code) == name_of(one.kind));
    });
  }
}

TEST_CASE("a row may look like a report") {
  const std::string text = "__exception__\r\nCode: 60. DB::Exception: no";
  for (const char* headers : {"", "X-ClickHouse-Exception-Tag: abcdefghijklmnop\r\n"}) {
    scripted::Server server([&](scripted::Connection& connection) {
      connection.request();
      connection.send(
          header_and(headers, "\x01\x01s\x06String" + std::string(1, static_cast<char>(text.size())) + text));
    });
    test::run([&](Executor executor) -> Task<> {
      Options options;
      options.url = server.url();
      Client client(executor, options);
      std::string seen;
      REQUIRE_WORKED(co_await client.select("SELECT 1", {}, [&](const Row& row) {
        seen = row.text(0);
        return true;
      }));
      CHECK(seen == text);
    });
  }
}

TEST_CASE("requests carry what ClickHouse wants where it wants it") {
  scripted::Journal seen;
  scripted::Server server([&](scripted::Connection& connection) {
    while (auto request = connection.request()) {
      seen.add(*request);
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
  });
  test::run([&](Executor executor) -> Task<> {
    Options options;
    options.url = server.url();
    options.user = "ada";
    options.password = "secret";
    options.database = "tenant_a b";
    Client client(executor, options);
    Parameters parameters{Parameter::text("p", "a\n&")};
    REQUIRE_WORKED(co_await client.execute("ALTER x", std::move(parameters)));
    const std::vector<Block::Column> columns{{"a`b", "UInt8"}};
    Block block(columns);
    block.append_uint(0, 1);
    REQUIRE_WORKED(co_await client.insert("t", columns, block.encode_native(), "tok"));
  });
  const auto requests = seen.entries();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].starts_with(
      "POST /?max_execution_time=30&database=tenant_a%20b&param_p=a%5Cn%26&wait_end_of_query=1 "));
  CHECK(requests[0].ends_with("\r\n\r\nALTER x"));
  CHECK(requests[0].find("X-ClickHouse-User: ada\r\nX-ClickHouse-Key: secret\r\n") != std::string::npos);
  CHECK(
      requests[1].starts_with("POST "
                              "/?max_execution_time=60&database=tenant_a%20b&wait_end_of_query=1&optimize_on_insert=0"
                              "&query=INSERT%20INTO%20%60t%60%20%28%60a%5C%60b%60%29"
                              "%20FORMAT%20Native&insert_deduplication_token=tok "));
  CHECK(
      requests[1].ends_with("\x01\x01\x03"
                            "a`b\x05UInt8\x01"));
}

TEST_CASE("nobody there, and no address at all, are errors of the call") {
  test::run([&](Executor executor) -> Task<> {
    Options options;
    options.url = "http://127.0.0.1:1";
    Client absent(executor, options);
    const auto refused = co_await absent.execute("SELECT 1");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().error.code == ErrorCode::unavailable);
    CHECK_FALSE((co_await absent.ping()).has_value());
    options.url = "clickhouse://x";
    Client wrong(executor, options);
    const auto unusable = co_await wrong.select("SELECT 1", {}, [](const Row&) { return true; });
    REQUIRE_FALSE(unusable.has_value());
    CHECK(unusable.error().error.code == ErrorCode::bad_configuration);
  });
}
