#include "client_on_loop.hpp"

using namespace cameleer;
using namespace scripted;

TEST_CASE("every wrong answer is an error of its kind") {
  struct Case {
    const char* name;
    std::string bytes;
    ErrorCode code;
  };
  const Case cases[] = {
      {"no answer", "", ErrorCode::unavailable},
      {"garbage", "\x16\x03\x01 not HTTP at all\r\n\r\n", ErrorCode::upstream_error},
      {"half a status line", "HTTP/1.1 20", ErrorCode::upstream_error},
      {"half a header", "HTTP/1.1 200 OK\r\nContent-Le", ErrorCode::upstream_error},
      {"half a body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", ErrorCode::upstream_error},
      {"no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", ErrorCode::upstream_error},
      {"wrong chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n",
       ErrorCode::upstream_error},
      {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", ErrorCode::upstream_error},
      {"endless header", "HTTP/1.1 200 OK\r\nX: " + std::string(200'000, 'a'), ErrorCode::upstream_error},
      {"endless chunk extension", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;" + std::string(400'000, 'a'),
       ErrorCode::upstream_error},
      {"another protocol", "HTTP/1.1 101 Switching Protocols\r\n\r\n", ErrorCode::upstream_error},
      {"too large", with_length(std::string(70'000, 'a')), ErrorCode::upstream_error},
      {"too large, in chunks",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11170\r\n" + std::string(70'000, 'a') + "\r\n",
       ErrorCode::upstream_error},
  };
  for (const auto& one : cases) {
    CAPTURE(one.name);
    Server server(answering(one.bytes, true));
    run([&](Executor executor) -> Task<> {
      web::ClientOptions options;
      options.max_response_bytes = 65'536;
      auto client = client_of(executor, server.url(), options);
      const auto response = co_await client.send(get("/"));
      REQUIRE_FALSE(response.has_value());
      CHECK(name_of(response.error().code) == name_of(one.code));
    });
  }
}

TEST_CASE("an answer that never comes ends with the deadline, wherever it stops") {
  for (const std::string bytes : {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234"}) {
    CAPTURE(bytes);
    Journal seen;
    Server server([&](Connection& connection) {
      connection.request();
      connection.send(bytes);
      seen.add(connection.closed_by_client() ? "closed" : "left open");
    });
    run([&](Executor executor) -> Task<> {
      auto client = client_of(executor, server.url());
      const auto response = co_await client.send(get("/", 100ms));
      REQUIRE_FALSE(response.has_value());
      CHECK(response.error().code == ErrorCode::upstream_timeout);
    });
    REQUIRE(seen.wait_for(1));
    CHECK(seen.entries()[0] == "closed");
  }
}

TEST_CASE("a peer that takes nothing ends with the deadline") {
  Journal seen;
  Server server([&](Connection&) { seen.wait_for(1); });
  run([&](Executor executor) -> Task<> {
    auto client = client_of(executor, server.url());
    auto request = post(std::string(32u << 20, 'x'));
    request.deadline = 200ms;
    const auto response = co_await client.send(std::move(request));
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().code == ErrorCode::upstream_timeout);
  });
  seen.add("over");
}

TEST_CASE("nobody there and no such name are unavailable") {
  for (const char* url : {"http://127.0.0.1:1", "http://no-such-name.invalid:80", "unix:/nonexistent/socket"}) {
    CAPTURE(url);
    run([&](Executor executor) -> Task<> {
      auto client = client_of(executor, url);
      const auto response = co_await client.send(get("/"));
      REQUIRE_FALSE(response.has_value());
      CHECK(response.error().code == ErrorCode::unavailable);
    });
  }
}
