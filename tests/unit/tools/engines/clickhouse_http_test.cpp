#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "engine_fixture.hpp"

using namespace cameleer::engines::test;
using namespace std::string_literals;

namespace {

std::string gzipped(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string result(compressBound(text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

std::string zstd(const std::string& text) {
  std::string result(ZSTD_compressBound(text.size()), '\0');
  result.resize(ZSTD_compress(result.data(), result.size(), text.data(), text.size(), 3));
  return result;
}

std::string insert(const std::string& table, const std::string& format) {
  return "/?query=" + url_encoded("INSERT INTO " + table + " FORMAT " + format);
}

}  // namespace

TEST_CASE("the engine answers as ClickHouse's HTTP interface does") {
  const TempDirectory directory;
  RunningClickHouse clickhouse(clickhouse_options(directory));
  clickhouse.ask("CREATE DATABASE obs");
  clickhouse.ask("CREATE TABLE obs.t (a UInt32, b String) ENGINE = MergeTree ORDER BY a");

  SECTION("errors carry ClickHouse's code, name and status") {
    struct Case {
      std::string target;
      std::string sql;
      int status;
      std::string code;
    };
    const std::vector<Case> cases{
        {"/", "SELECT * FROM obs.missing", 404, "60"},
        {"/", "SELECT * FROM missing.t", 404, "81"},
        {"/", "SELEC 1", 400, "62"},
        {"/", "", 400, "62"},
        {"/", "SELECT 1; DROP TABLE obs.t", 400, "62"},
        {"/", "INSERT INTO obs.t VALUES (1, 'x'); DROP TABLE obs.t", 400, "62"},
        {"/", "SELECT nope", 404, "47"},
        {"/", "SELECT nope(1)", 404, "46"},
        {"/", "SELECT 1 FORMAT Nope", 404, "73"},
        {"/", "SELECT {x:UInt8}", 400, "456"},
        {"/?nope=1", "SELECT 1", 404, "115"},
        {"/?max_memory_usage=10000000", "SELECT groupArray(number) FROM numbers(100000000)", 500, "241"},
        {"/?max_execution_time=0.1", "SELECT sum(cityHash64(number)) FROM numbers(100000000000)", 408, "159"},
        {"/?readonly=1", "DROP TABLE obs.t", 500, "164"},
        {"/", "SELECT 1 INTO OUTFILE '/tmp/x'", 500, "358"},
        {"/?session_id=a", "SELECT 1", 501, "48"},
        {"/?compress=1", "SELECT 1", 501, "48"},
        {"/", "INSERT INTO obs.t FORMAT TSV\nx\ty\n", 400, "27"},
        {"/", "INSERT INTO obs.t FORMAT JSONEachRow\n{\"a\":\"foo\"}", 400, "27"},
        {"/", "INSERT INTO obs.t FORMAT Nope\n1", 404, "73"},
        {"/", "INSERT INTO obs.missing FORMAT TSV\n1\t2\n", 404, "60"},
        {"/", "INSERT INTO obs.t FORMAT Native\ngarbage", 500, "33"}};
    for (const auto& one : cases) {
      INFO(one.target << " " << one.sql);
      auto answer = clickhouse.post(one.target, one.sql);
      CHECK(answer.headers["X-ClickHouse-Exception-Code"] == one.code);
      CHECK(answer.body.starts_with("Code: " + one.code + ". DB::Exception: "));
      CHECK(answer.body.find("/* request") == std::string::npos);
      if (one.code != "456") CHECK(answer.status == one.status);
    }
    CHECK(clickhouse.ask("SELECT count() FROM obs.t") == "0\n");
  }

  SECTION("rows keep their bytes, whatever they are, and never become SQL") {
    CHECK(clickhouse.post("/", "INSERT INTO obs.t VALUES (1, 'x\n\n; DROP TABLE obs.t')").status == 200);
    CHECK(clickhouse.post(insert("obs.t", "JSONEachRow"), "{\"a\":2,\"b\":\"y\"}\n\n\n\n{\"a\":3,\"b\":\"z\"}\n")
              .status == 200);
    CHECK(clickhouse.post("/", "INSERT INTO obs.t FORMAT CSV\n4,\"a\n\nDROP TABLE obs.t\n\"\n").status == 200);
    CHECK(clickhouse.ask("SELECT a, b FROM obs.t ORDER BY a FORMAT JSONCompactEachRow") ==
          "[1, \"x\\n\\n; DROP TABLE obs.t\"]\n[2, \"y\"]\n[3, \"z\"]\n[4, \"a\\n\\nDROP TABLE obs.t\\n\"]\n");
  }

  SECTION("Native goes in as it came out, and the summary counts it") {
    const std::string native = clickhouse.ask(
        "SELECT toUInt32(number) AS a, concat('\n\n;', randomString(10), char(0)) AS b FROM numbers(100000) FORMAT "
        "Native");
    auto answer = clickhouse.post(insert("obs.t", "Native"), native);
    CHECK(answer.status == 200);
    CHECK(answer.headers["X-ClickHouse-Summary"].find("\"written_rows\":\"100000\"") != std::string::npos);
    CHECK(clickhouse.ask("SELECT a, b FROM obs.t ORDER BY a FORMAT RowBinary").size() == 100000 * (4 + 1 + 14));
  }

  SECTION("compressed and chunked bodies") {
    const std::string rows = "5\tfive\n6\tsix\n";
    CHECK(clickhouse.post(insert("obs.t", "TSV"), gzipped(rows), "Content-Encoding: gzip\r\n").status == 200);
    CHECK(clickhouse.post(insert("obs.t", "TSV"), zstd(rows), "Content-Encoding: zstd\r\n").status == 200);
    std::string big;
    for (int i = 0; i < 300000; ++i) big += "7\tseven\n";
    CHECK(clickhouse.post(insert("obs.t", "TSV"), gzipped(big), "Content-Encoding: gzip\r\n").status == 200);
    CHECK(clickhouse.post(insert("obs.t", "TSV"), zstd(big), "Content-Encoding: zstd\r\n").status == 200);
    HttpClient client(clickhouse.port());
    client.send("POST " + insert("obs.t", "TSV") + " HTTP/1.1\r\n" + clickhouse.headers() +
                "Transfer-Encoding: chunked\r\n\r\n7\r\n5\tfive\n\r\n6\r\n6\tsix\n\r\n0\r\n\r\n");
    CHECK(client.receive().status == 200);
    CHECK(clickhouse.ask("SELECT count(), sum(a) FROM obs.t") == "600006\t4200033\n");
  }

  SECTION("a body that is cut, broken or of an unknown encoding stores nothing") {
    const std::string rows = "5\tfive\n6\tsix\n";
    const std::string packed = gzipped(rows);
    CHECK(clickhouse.post(insert("obs.t", "TSV"), packed.substr(0, packed.size() - 9), "Content-Encoding: gzip\r\n")
              .status == 500);
    CHECK(clickhouse.post(insert("obs.t", "TSV"), "garbage", "Content-Encoding: gzip\r\n").status == 500);
    CHECK(clickhouse.post(insert("obs.t", "TSV"), zstd(rows).substr(0, 9), "Content-Encoding: zstd\r\n").status == 500);
    CHECK(clickhouse.post(insert("obs.t", "TSV"), rows, "Content-Encoding: br\r\n").status == 501);
    {
      HttpClient client(clickhouse.port());
      client.send("POST " + insert("obs.t", "TSV") + " HTTP/1.1\r\n" + clickhouse.headers() +
                  "Content-Length: 1000\r\n\r\n" + rows);
    }
    {
      HttpClient client(clickhouse.port());
      client.send("POST " + insert("obs.t", "TSV") + " HTTP/1.1\r\n" + clickhouse.headers() +
                  "Transfer-Encoding: chunked\r\n\r\n7\r\n5\tfive\n\r\nzz\r\n");
      CHECK(client.receive().status == 0);
    }
    CHECK(clickhouse.ask("SELECT count() FROM obs.t") == "0\n");
  }

  SECTION("parameters are values, whatever they hold") {
    // ClickHouse reads them TSV-escaped.
    const std::vector<std::pair<std::string, std::string>> cases{
        {"a\\tb", "a\tb"},
        {"a\\nb", "a\nb"},
        {"a\\\\b", "a\\b"},
        {"it's \"q\" `x`; DROP TABLE obs.t -- ", "it's \"q\" `x`; DROP TABLE obs.t -- "},
        {"\xc3\xa9\xe2\x82\xac", "\xc3\xa9\xe2\x82\xac"}};
    for (const auto& [sent, received] : cases) {
      INFO(sent);
      const auto answer = clickhouse.post("/?param_x=" + url_encoded(sent), "SELECT {x:String} AS x FORMAT TSVRaw");
      CHECK(answer.body == received + "\n");
    }
    CHECK(clickhouse.post("/?param_x=a%09b", "SELECT {x:String}").status != 200);
  }

  SECTION("settings and database belong to their request alone") {
    CHECK(clickhouse.post("/?database=obs&max_threads=1", "SELECT currentDatabase(), getSetting('max_threads')").body ==
          "obs\t1\n");
    for (int i = 0; i < 4; ++i)
      CHECK(clickhouse.ask("SELECT currentDatabase(), getSetting('max_threads') = 1").starts_with("default\t"));
    clickhouse.ask("SET max_result_rows = 7");
    clickhouse.ask("USE obs");
    CHECK(clickhouse.ask("SELECT currentDatabase(), getSetting('max_result_rows')") == "default\t0\n");
  }

  SECTION("a format with a head or a frame has one, however many blocks the engine makes") {
    const std::string json = clickhouse.ask("SELECT number FROM numbers(300000) FORMAT JSON");
    CHECK(json.find("\"meta\"") == json.rfind("\"meta\""));
    CHECK(json.find("\"rows\": 300000") != std::string::npos);
    const std::string csv = clickhouse.ask("SELECT number AS x FROM numbers(300000) FORMAT CSVWithNames");
    CHECK(csv.starts_with("\"x\"\n0\n"));
    CHECK(std::count(csv.begin(), csv.end(), 'x') == 1);
    const std::string binary =
        clickhouse.ask("SELECT toUInt64(number) AS x FROM numbers(300000) FORMAT RowBinaryWithNamesAndTypes");
    CHECK(binary.size() == std::string("\1\1x\6UInt64").size() + 300000U * 8U);
  }

  SECTION("formats: header, parameter, clause") {
    auto answer = clickhouse.post("/", "SELECT 1 AS x", "X-ClickHouse-Format: JSONEachRow\r\n");
    CHECK(answer.body == "{\"x\":1}\n");
    CHECK(answer.headers["X-ClickHouse-Format"] == "JSONEachRow");
    CHECK(clickhouse.post("/?default_format=CSV", "SELECT 'a'").body == "\"a\"\n");
    CHECK(clickhouse.post("/?default_format=CSV", "SELECT 'a' FORMAT TSV").body == "a\n");
    CHECK(clickhouse.post("/?query=SELECT", "1 + 1").body == "2\n");
    CHECK(clickhouse.post("/?query_id=mine", "SELECT 1").headers["X-ClickHouse-Query-Id"] == "mine");
  }

  SECTION("a GET reads and changes nothing; /ping needs no password; a wrong one is refused") {
    CHECK(clickhouse.get("/?query=SELECT%201").body == "1\n");
    CHECK(clickhouse.get("/?query=" + url_encoded("DROP TABLE obs.t")).headers["X-ClickHouse-Exception-Code"] == "164");
    CHECK(clickhouse.get("/?readonly=0&query=" + url_encoded("DROP TABLE obs.t"))
              .headers["X-ClickHouse-Exception-Code"] == "164");
    const std::vector<std::pair<std::string, int>> cases{
        {"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n", 200},
        {"GET /?query=SELECT%201 HTTP/1.1\r\nHost: x\r\n\r\n", 401},
        {"GET /?query=SELECT%201 HTTP/1.1\r\nHost: x\r\nX-ClickHouse-User: cameleer\r\nX-ClickHouse-Key: no\r\n\r\n",
         403},
        {"GET /?query=SELECT%201&user=cameleer&password=x HTTP/1.1\r\nHost: x\r\n\r\n", 403},
        {"GET /?query=SELECT%201 HTTP/1.1\r\nHost: x\r\nAuthorization: Basic !!!\r\n\r\n", 403},
        {"GET /nope HTTP/1.1\r\nHost: x\r\n\r\n", 404},
        {"DELETE / HTTP/1.1\r\nHost: x\r\n\r\n", 501}};
    for (const auto& [request, status] : cases) {
      INFO(request);
      HttpClient client(clickhouse.port());
      client.send(request);
      CHECK(client.receive().status == status);
    }
  }
}
