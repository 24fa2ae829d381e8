#include <catch2/catch.hpp>
#include <list>
#include <string>

#include "engine_fixture.hpp"

using namespace cameleer::engines::test;
using namespace std::string_literals;

TEST_CASE("garbage, slow and many clients do not hurt the engine") {
  const TempDirectory directory;
  RunningClickHouse clickhouse(clickhouse_options(directory));

  SECTION("what is not HTTP gets 400 or the end of the connection") {
    for (const std::string& garbage :
         {"\x16\x03\x01\x02garbage\r\n\r\n"s, "\0\0\0\0\r\n\r\n"s, "GET\r\n\r\n"s, "GET / HTTP/9.9\r\n\r\n"s,
          "POST / HTTP/1.1\r\nContent-Length: 5x\r\n\r\n"s,
          "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx"s,
          "GET /?query=%zz HTTP/1.1\r\nHost: x\r\n\r\n"s, "GET http://x/ HTTP/1.1\r\n\r\n"s,
          "GET / HTTP/1.1\r\nX: "s + std::string(2 << 20, 'x') + "\r\n\r\n"}) {
      HttpClient client(clickhouse.port());
      client.send(garbage);
      INFO(garbage.substr(0, 60));
      const int status = client.receive().status;
      CHECK((status == 400 || status == 0));
    }
    CHECK(clickhouse.ask("SELECT 1") == "1\n");
  }

  SECTION("several requests go over one connection, also when one of them fails") {
    HttpClient client(clickhouse.port());
    const auto request = [&](const std::string& sql) {
      client.send("POST / HTTP/1.1\r\n" + clickhouse.headers() + "Content-Length: " + std::to_string(sql.size()) +
                  "\r\n\r\n" + sql);
    };
    request("SELECT 1");
    request("SELEC");
    request("SELECT 3");
    CHECK(client.receive().body == "1\n");
    CHECK(client.receive().status == 404);
    CHECK(client.receive().body == "3\n");
  }

  SECTION("the connection above the bound is answered 503 and code 202") {
    std::list<HttpClient> clients;
    for (int i = 0; i < 64; ++i) {
      clients.emplace_back(clickhouse.port()).send("GET /ping HTTP/1.1\r\nHost: x\r\n\r\n");
      REQUIRE(clients.back().receive().status == 200);
    }
    HttpClient surplus(clickhouse.port());
    surplus.send("GET /ping HTTP/1.1\r\nHost: x\r\n\r\n");
    auto answer = surplus.receive();
    CHECK(answer.status == 503);
    CHECK(answer.headers["X-ClickHouse-Exception-Code"] == "202");
    clients.clear();
    CHECK(eventually([&] { return clickhouse.get("/ping").status == 200; }));
  }

  SECTION("a large result is streamed whole") {
    const auto answer = clickhouse.post("/", "SELECT number FROM numbers(3000000) ORDER BY number FORMAT RowBinary");
    CHECK(answer.headers.contains("Transfer-Encoding"));
    CHECK(answer.whole);
    CHECK(answer.body.size() == 3000000U * 8U);
  }

  SECTION("an error in the middle of a result cuts the answer after ClickHouse's exception block") {
    const std::string sql =
        "SELECT throwIf(number = 2000000, 'in the middle'), number FROM numbers(5000000) SETTINGS max_threads = 1";
    auto answer = clickhouse.post("/", sql);
    CHECK(answer.status == 200);
    CHECK_FALSE(answer.whole);
    const std::string tag = answer.headers["X-ClickHouse-Exception-Tag"];
    CHECK(tag.size() == 16);
    CHECK(answer.body.find("\r\n__exception__\r\n" + tag + "\r\nCode: 395. DB::Exception: in the middle") !=
          std::string::npos);
    CHECK(answer.body.ends_with(" " + tag + "\r\n__exception__\r\n"));
    auto held_back = clickhouse.post("/?wait_end_of_query=1", sql);
    CHECK(held_back.status == 500);
    CHECK(held_back.headers["X-ClickHouse-Exception-Code"] == "395");
  }

  SECTION("the statement of a client that goes away is killed") {
    const std::string endless = "SELECT sum(cityHash64(number)) FROM numbers(100000000000000)";
    const auto running = [&] {
      return clickhouse.ask("SELECT count() FROM system.processes WHERE query LIKE 'SELECT sum(city%'") != "0\n";
    };
    {
      HttpClient client(clickhouse.port());
      client.send("POST / HTTP/1.1\r\n" + clickhouse.headers() + "Content-Length: " + std::to_string(endless.size()) +
                  "\r\n\r\n" + endless);
      CHECK(eventually(running));
    }
    CHECK(eventually([&] { return !running(); }));
  }

  SECTION("a stop kills what still runs and ends in order") {
    HttpClient client(clickhouse.port());
    const std::string endless = "SELECT sum(cityHash64(number)) FROM numbers(100000000000000)";
    client.send("POST / HTTP/1.1\r\n" + clickhouse.headers() + "Content-Length: " + std::to_string(endless.size()) +
                "\r\n\r\n" + endless);
    CHECK(eventually([&] { return clickhouse.ask("SELECT count() FROM system.processes") != "1\n"; }));
    const pid_t pid = clickhouse.engine().status().pid;
    clickhouse.loop().run(clickhouse.engine().stop());
    CHECK_FALSE(is_alive(pid));
    CHECK(client.receive().headers["X-ClickHouse-Exception-Code"] == "394");
  }
}
