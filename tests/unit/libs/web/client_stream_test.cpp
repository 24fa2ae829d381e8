#include "client_on_loop.hpp"

using namespace cameleer;
using namespace scripted;

TEST_CASE("a stream hands on pieces as they come, and its connection is used again after the end") {
  Journal received;
  Server server([&](Connection& connection) {
    for (int round = 1; connection.request(); ++round) {
      connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      for (std::size_t i = 0; i < 3; ++i) {
        connection.send("4\r\nabc\n\r\n");
        received.wait_for(3 * static_cast<std::size_t>(round - 1) + i + 1);
      }
      connection.send("0\r\n\r\n");
    }
  });
  run([&](Executor executor) -> Task<> {
    auto client = client_of(executor, server.url());
    for (int round = 0; round < 2; ++round) {
      auto stream = co_await client.open(get("/"));
      REQUIRE(stream.has_value());
      CHECK((*stream)->head().status == 200);
      CHECK((*stream)->head().header("transfer-encoding") == "chunked");
      for (int i = 0; i < 3; ++i) {
        const auto piece = co_await (*stream)->next(10s);
        REQUIRE(piece.has_value());
        CHECK(*piece == "abc\n");
        received.add("piece");
      }
      CHECK((co_await (*stream)->next(10s)).value().empty());
      CHECK((co_await (*stream)->next(10s)).value().empty());
    }
  });
  CHECK(server.accepted() == 1);
}

TEST_CASE("a stream that is cut, late or dropped ends its connection") {
  Journal seen;
  Server server([&](Connection& connection) {
    const auto request = connection.request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345");
    if (request->starts_with("GET /cut")) return;
    seen.add(connection.closed_by_client() ? "closed" : "left open");
  });
  run([&](Executor executor) -> Task<> {
    auto client = client_of(executor, server.url());
    for (const char* target : {"/cut", "/late", "/dropped"}) {
      CAPTURE(target);
      auto stream = co_await client.open(get(target));
      REQUIRE(stream.has_value());
      CHECK((co_await (*stream)->next(10s)).value() == "12345");
      if (target == std::string_view("/dropped")) continue;
      const bool cut = target == std::string_view("/cut");
      for (int i = 0; i < 2; ++i) {
        const auto rest = co_await (*stream)->next(cut ? 10s : 100ms);
        REQUIRE_FALSE(rest.has_value());
        CHECK(name_of(rest.error().code) == name_of(cut ? ErrorCode::upstream_error : ErrorCode::upstream_timeout));
      }
    }
  });
  REQUIRE(seen.wait_for(2));
  CHECK(seen.entries() == std::vector<std::string>{"closed", "closed"});
}
