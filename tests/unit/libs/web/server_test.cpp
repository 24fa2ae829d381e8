#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "live_server.hpp"

using namespace cameleer;
using namespace live;

TEST_CASE("an answer carries length, date, request id and the security headers") {
  const Server server;
  const auto answer = server.ask(get("/hello"));
  CHECK(answer.status == 200);
  CHECK(answer.body == R"({"hello":"world"})");
  CHECK(answer.header("Content-Type") == "application/json");
  CHECK(answer.header("Content-Length") == "17");
  CHECK(answer.header("X-Content-Type-Options") == "nosniff");
  CHECK(answer.header("Cache-Control") == "no-store");
  CHECK(answer.header("Date").ends_with(" GMT"));
  CHECK(answer.header("X-Request-Id").size() >= 18);
  CHECK(answer.header("Server").empty());
  CHECK(answer.header("X-Request-Id") != server.ask(get("/hello")).header("X-Request-Id"));
}

TEST_CASE("a harmless request id of the client is kept, another is replaced") {
  const Server server;
  CHECK(server.ask(get("/hello", "X-Request-Id: a.B_9-\r\n")).header("X-Request-Id") == "a.B_9-");
  for (const auto& id : {std::string("a b"), std::string("<x>"), std::string(65, 'a')}) {
    const auto given = server.ask(get("/hello", "X-Request-Id: " + id + "\r\n")).header("X-Request-Id");
    CHECK(given != id);
    CHECK_FALSE(given.empty());
  }
}

TEST_CASE("a connection serves several requests, also pipelined ones in their order") {
  const Server server;
  auto peer = server.connect();
  for (int round = 0; round < 3; ++round) {
    peer.send(get("/hello"));
    CHECK(peer.answer().status == 200);
  }
  std::string many;
  for (int index = 0; index < 50; ++index)
    many += get(fmt::format("/items/{}", index)) + post("/echo", std::to_string(index));
  peer.send(many);
  for (int index = 0; index < 50; ++index) {
    CHECK(peer.answer().body == std::to_string(index));
    CHECK(peer.answer().body == std::to_string(index));
  }
  CHECK(server.counters().accepted == 1);
}

TEST_CASE("a request is understood however its bytes are split") {
  const Server server;
  const auto request = chunked("/echo", "hello world", "X-Long: " + std::string(100, 'x') + "\r\n");
  auto peer = server.connect();
  std::uint64_t sent = 0;
  for (std::size_t split = 1; split < request.size(); ++split) {
    peer.send(std::string_view(request).substr(0, split));
    sent += split;
    // The server has to see the first part alone.
    REQUIRE(server.eventually([&] { return server.bytes_in() == sent; }));
    peer.send(std::string_view(request).substr(split));
    sent += request.size() - split;
    const auto answer = peer.answer();
    INFO(split);
    REQUIRE(answer.status == 200);
    REQUIRE(answer.body == "hello world");
  }
}

TEST_CASE("Connection: close and HTTP/1.0 end the connection after the answer") {
  const Server server;
  for (const auto& request : {get("/hello", "Connection: close\r\n"), std::string("GET /hello HTTP/1.0\r\n\r\n"),
                              std::string("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")}) {
    const auto all = server.exchange(request + get("/hello"));
    INFO(request);
    CHECK(all.find("Connection: close\r\n") != std::string::npos);
    CHECK(all.find("HTTP/1.1 200 OK", 1) == std::string::npos);
  }
}

TEST_CASE("HEAD has the headers of GET and no body, OPTIONS and wrong methods get Allow") {
  const Server server;
  auto peer = server.connect();
  peer.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n" + get("/hello"));
  const auto head = peer.answer(true);
  CHECK(head.status == 200);
  CHECK(head.header("Content-Length") == "17");
  CHECK(peer.answer().body.size() == 17);

  peer.send("OPTIONS /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto options = peer.answer();
  CHECK(options.status == 204);
  CHECK(options.header("Allow") == "GET, HEAD, OPTIONS");
  CHECK(options.header("Content-Length").empty());

  peer.send("DELETE /hello HTTP/1.1\r\nHost: a\r\n\r\n" + get("/nothing"));
  const auto wrong = peer.answer();
  CHECK(wrong.status == 405);
  CHECK(wrong.header("Allow") == "GET, HEAD, OPTIONS");
  CHECK(code_of(wrong) == "method_not_allowed");
  const auto missing = peer.answer();
  CHECK(missing.status == 404);
  CHECK(code_of(missing) == "not_found");
}

TEST_CASE("what is not strict HTTP gets a problem document and the end of the connection") {
  const Server server;
  struct Row {
    std::string bytes;
    int status;
    std::string code;
  };
  const Row rows[] = {
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "malformed_request"},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", 400, "malformed_request"},
      {"\x16\x03\x01 TLS to a plain port", 400, "malformed_request"},
      {"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501, "method_not_allowed"},
      {"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505, "malformed_request"},
      {"GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414, "malformed_request"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n", 431, "headers_too_large"},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "malformed_request"},
  };
  for (const auto& row : rows) {
    auto peer = server.connect();
    peer.send(row.bytes + get("/hello"));
    const auto answer = peer.answer();
    INFO(row.bytes.substr(0, 60) << answer.body);
    CHECK(answer.status == row.status);
    CHECK(code_of(answer) == row.code);
    CHECK(answer.header("Connection") == "close");
    CHECK_FALSE(answer.header("X-Request-Id").empty());
    CHECK(ended(peer));
  }
  CHECK(server.ask(get("/hello")).status == 200);
}

TEST_CASE("a bug in a handler is a 500 without inner text, and is reported") {
  const Server server;
  for (const auto* path : {"/bug", "/split"}) {
    const auto answer = server.ask(get(path));
    CHECK(answer.status == 500);
    CHECK(code_of(answer) == "internal");
    CHECK(answer.body.find("inner text") == std::string::npos);
    CHECK(answer.body.find(answer.header("X-Request-Id")) != std::string::npos);
    CHECK(answer.head.find("Set-Cookie") == std::string::npos);
  }
  CHECK(server.on_loop([&] { return server.notes.exceptions; }).size() == 2);
  CHECK(server.on_loop([&] { return server.notes.exceptions; }).front() == "inner text");
}

TEST_CASE("the base path is stripped, other addresses are not found") {
  web::ServerOptions options;
  options.base_path = "/cameleer/";
  const Server server(options);
  CHECK(server.ask(get("/cameleer/items/a%20b?x=y")).body == "a b");
  CHECK(server.ask(get("/items/a")).status == 404);
  CHECK(server.ask(get("/cameleerx/items/a")).status == 404);
  CHECK(server.ask(get("/cameleer")).status == 404);
}

TEST_CASE("only a trusted proxy says who the client is") {
  auto who = web::Route{web::Method::get, "/who", {}, {"public"}, {}, {}};
  who.handler = [](web::Request& request) -> Task<web::Response> {
    co_return web::Response::json(request.remote_address + (request.secure ? " secure" : " open"));
  };
  const auto forwarded = get("/who", "X-Forwarded-For: 1.1.1.1, 2.2.2.2, 10.0.0.7\r\nX-Forwarded-Proto: https\r\n");
  CHECK(Server({}, {who}).ask(forwarded).body == "127.0.0.1 open");
  web::ServerOptions options;
  options.trusted_proxies = {"127.0.0.0/8", "10.0.0.7", "fe80::/10"};
  const Server server(options, {who});
  CHECK(server.ask(forwarded).body == "2.2.2.2 secure");
  CHECK(server.ask(get("/who", "X-Forwarded-For: nonsense\r\n")).body == "127.0.0.1 open");
  CHECK(server.ask(get("/who")).body == "127.0.0.1 open");
}

TEST_CASE("a start that cannot work says why in one sentence") {
  const Server running;
  struct Row {
    web::ServerOptions options;
    std::string says;
  };
  Row rows[5];
  rows[0].options.port = running.port();
  rows[0].says = "Cannot listen on 127.0.0.1 port";
  rows[1].options.address = "localhost.example";
  rows[1].says = "it is not an IP address";
  rows[2].options.trusted_proxies = {"10.0.0.0/33"};
  rows[2].says = "'10.0.0.0/33'";
  rows[3].options.tls_certificate_file = "/nowhere.pem";
  rows[3].says = "both a certificate and a key";
  rows[4].options.tls_certificate_file = "/nowhere.pem";
  rows[4].options.tls_key_file = "/nowhere.pem";
  rows[4].says = "Cannot read the TLS certificate /nowhere.pem";
  for (auto& row : rows) {
    if (row.options.address == "0.0.0.0") row.options.address = "127.0.0.1";
    boost::asio::io_context context;
    async::WorkerPool workers(1, 1);
    web::Router router;
    REQUIRE(router.seal());
    web::Server server(context.get_executor(), workers, router, {}, {}, row.options);
    const auto started = server.start();
    REQUIRE_FALSE(started);
    CHECK(started.error().code == ErrorCode::bad_configuration);
    INFO(started.error().message);
    CHECK(started.error().message.find(row.says) != std::string::npos);
  }
}
