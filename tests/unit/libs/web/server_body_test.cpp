#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "live_server.hpp"

using namespace cameleer;
using namespace live;

TEST_CASE("bodies arrive plain, chunked, gzip and zstd, with room for simdjson") {
  const Server server;
  std::string large;
  for (int index = 0; large.size() < 3'000'000; ++index) large += fmt::format("{{\"line\":{}}}\n", index * 7919);
  struct Row {
    std::string request;
    std::string body;
  };
  const Row rows[] = {
      {post("/echo", ""), ""},
      {post("/echo", "x"), "x"},
      {post("/echo", "{}", "Content-Encoding: identity\r\n"), "{}"},
      {chunked("/echo", "abc"), "abc"},
      {post("/echo", gzip("hello"), "Content-Encoding: gzip\r\n"), "hello"},
      {post("/echo", gzip(""), "Content-Encoding: x-gzip\r\n"), ""},
      {post("/echo", zstd("hello"), "Content-Encoding: zstd\r\n"), "hello"},
      {chunked("/echo", gzip("hello"), "Content-Encoding: gzip\r\n"), "hello"},
      {post("/large", large), large},
      {chunked("/large", large), large},
      {post("/large", gzip(large), "Content-Encoding: gzip\r\n"), large},
      {post("/large", zstd(large), "Content-Encoding: zstd\r\n"), large},
  };
  auto peer = server.connect();
  for (const auto& row : rows) {
    peer.send(row.request);
    const auto answer = peer.answer();
    INFO(row.request.substr(0, 100) << answer.body.substr(0, 200));
    REQUIRE(answer.status == 200);
    CHECK((answer.body == row.body));
  }
}

TEST_CASE("bad, foreign and oversized bodies are refused by name and never reach the handler") {
  const Server server;
  const auto packed = gzip("hello");
  const std::string zeros(9u << 20, '0');
  struct Row {
    std::string request;
    int status;
    std::string code;
    std::string says;
  };
  const Row rows[] = {
      {post("/echo", "hello", "Content-Encoding: gzip\r\n"), 400, "malformed_body", "Content-Encoding is gzip"},
      {post("/echo", packed.substr(0, packed.size() - 3), "Content-Encoding: gzip\r\n"), 400, "malformed_body",
       "ends too early"},
      {post("/echo", packed + "x", "Content-Encoding: gzip\r\n"), 400, "malformed_body", "goes on"},
      {post("/echo", packed + packed, "Content-Encoding: gzip\r\n"), 400, "malformed_body", "goes on"},
      {post("/echo", zstd("hello") + "x", "Content-Encoding: zstd\r\n"), 400, "malformed_body", "goes on"},
      {post("/echo", zstd("hello").substr(0, 8), "Content-Encoding: zstd\r\n"), 400, "malformed_body",
       "ends too early"},
      {post("/echo", "hello", "Content-Encoding: zstd\r\n"), 400, "malformed_body", "not valid zstd"},
      {post("/echo", "x", "Content-Encoding: br\r\n"), 415, "unsupported_encoding", "gzip, zstd"},
      {post("/echo", "x", "Content-Encoding: gzip, gzip\r\n"), 415, "unsupported_encoding", ""},
      {post("/echo", std::string(1001, 'x')), 413, "body_too_large", "1000 bytes"},
      {chunked("/echo", std::string(1001, 'x')), 413, "body_too_large", "1000 bytes"},
      {post("/echo", gzip(std::string(1001, 'x')), "Content-Encoding: gzip\r\n"), 413, "body_too_large", "1000 bytes"},
      {post("/large", gzip(zeros), "Content-Encoding: gzip\r\n"), 413, "body_too_large", "8388608 bytes"},
      {post("/large", zstd(zeros), "Content-Encoding: zstd\r\n"), 413, "body_too_large", "8388608 bytes"},
      {"POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n", 413, "body_too_large", ""},
  };
  for (const auto& row : rows) {
    const auto answer = server.ask(row.request);
    INFO(row.request.substr(0, 100) << answer.body.substr(0, 300));
    CHECK(answer.status == row.status);
    CHECK(code_of(answer) == row.code);
    CHECK(answer.body.find(row.says) != std::string::npos);
  }
  CHECK(server.on_loop([&] { return server.notes.handled; }) == 0);
}

TEST_CASE("the authoriser answers before the body is read") {
  const Server server;
  auto peer = server.connect();
  peer.send("POST /forbidden HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");  // the body never comes
  const auto answer = peer.answer();
  CHECK(answer.status == 403);
  CHECK(code_of(answer) == "forbidden");
  CHECK(answer.header("Connection") == "close");

  // A small body is skipped, and the connection goes on.
  auto other = server.connect();
  other.send(post("/token", "small") + get("/hello"));
  const auto unauthenticated = other.answer();
  CHECK(unauthenticated.status == 401);
  CHECK(unauthenticated.header("WWW-Authenticate") == "Bearer");
  CHECK(other.answer().status == 200);
  CHECK(server.on_loop([&] { return server.notes.handled; }) == 1);
}

TEST_CASE("Expect: 100-continue is answered only when the body is wanted") {
  const Server server;
  auto peer = server.connect();
  peer.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  CHECK(peer.until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  peer.send("abc");
  CHECK(peer.answer().body == "abc");

  for (const auto* request :
       {"POST /forbidden HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n",
        "POST /nothing HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"}) {
    auto refused = server.connect();
    refused.send(request);
    const auto answer = refused.answer();
    INFO(request);
    CHECK(answer.status >= 400);
    CHECK(answer.header("Connection") == "close");
    CHECK(ended(refused));
  }
}

TEST_CASE("bodies over the bound of the server are refused, however they come") {
  web::ServerOptions options;
  options.max_in_flight_body_bytes = 1000;
  const Server server(options);
  const std::string body(1001, 'x');
  for (const auto& request :
       {post("/large", body), chunked("/large", body), post("/large", gzip(body), "Content-Encoding: gzip\r\n")}) {
    const auto refused = server.ask(request);
    INFO(request.substr(0, 100));
    CHECK(refused.status == 503);
    CHECK(code_of(refused) == "overloaded");
    CHECK_FALSE(refused.header("Retry-After").empty());
  }
  CHECK(server.ask(post("/large", std::string(999, 'x'))).status == 200);
}
