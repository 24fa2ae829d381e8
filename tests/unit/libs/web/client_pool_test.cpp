#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "client_on_loop.hpp"

using namespace cameleer;
using namespace scripted;
namespace asio = boost::asio;

TEST_CASE("a kept connection that was closed in between is replaced unnoticed") {
  Journal closed;
  Server server([&](Connection& connection) {
    connection.request();
    connection.send(with_length("once"));
    closed.add("closing");
  });
  run([&](Executor executor) -> Task<> {
    auto client = client_of(executor, server.url());
    REQUIRE((co_await client.send(post("1"))).has_value());
    REQUIRE(closed.wait_for(1));
    co_await async::sleep_for(executor, 50ms);  // until the kernel has delivered the end; the retry covers the rest
    auto second = post("2");
    second.idempotent = true;
    REQUIRE((co_await client.send(std::move(second))).has_value());
  });
  CHECK(server.accepted() == 2);
}

TEST_CASE("a kept connection that dies on a request is retried only when that is safe") {
  for (const bool idempotent : {true, false}) {
    CAPTURE(idempotent);
    Journal seen;
    Server server([&](Connection& connection) {
      for (int round = 1; connection.request(); ++round) {
        seen.add(fmt::format("{}/{}", connection.number(), round));
        if (connection.number() == 1 && round == 2) return;
        connection.send(with_length("x"));
      }
    });
    run([&](Executor executor) -> Task<> {
      auto client = client_of(executor, server.url());
      REQUIRE((co_await client.send(post("1"))).has_value());
      auto second = post("2");
      second.idempotent = idempotent;
      const auto response = co_await client.send(std::move(second));
      CHECK(response.has_value() == idempotent);
      if (!idempotent) {
        CHECK(response.error().code == ErrorCode::unavailable);
      }
      REQUIRE((co_await client.send(post("3"))).has_value());
    });
    const std::vector<std::string> retried{"1/1", "1/2", "2/1", "2/2"};
    const std::vector<std::string> refused{"1/1", "1/2", "2/1"};
    CHECK(seen.entries() == (idempotent ? retried : refused));
  }
}

TEST_CASE("a retry is not retried") {
  Server server([&](Connection& connection) {
    connection.request();
    if (connection.number() > 1) return;
    connection.send(with_length("x"));
    connection.request();
  });
  run([&](Executor executor) -> Task<> {
    auto client = client_of(executor, server.url());
    auto request = get("/");
    request.idempotent = true;
    REQUIRE((co_await client.send(request)).has_value());
    const auto response = co_await client.send(request);
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().code == ErrorCode::unavailable);
  });
  CHECK(server.accepted() == 2);
}

TEST_CASE("bytes after an answer end the connection's use") {
  Server server(answering(with_length("x") + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison", false));
  run([&](Executor executor) -> Task<> {
    auto client = client_of(executor, server.url());
    for (int round = 0; round < 3; ++round) {
      auto request = get("/");
      request.idempotent = true;
      const auto response = co_await client.send(std::move(request));
      REQUIRE(response.has_value());
      CHECK(response->body == "x");
    }
  });
  CHECK(server.accepted() == 3);
}

TEST_CASE("the pool is bounded and serves in order") {
  Journal seen;
  Journal go;
  Server server([&](Connection& connection) {
    while (auto request = connection.request()) {
      seen.add(request->substr(0, request->find(" HTTP")));
      go.wait_for(1);
      connection.send(with_length(""));
    }
  });
  int answered = 0;
  run([&](Executor executor) -> Task<> {
    web::ClientOptions options;
    options.max_connections = 1;
    auto client = client_of(executor, server.url(), options);
    async::SteadyTimer all(executor, 30s);
    for (int i = 0; i < 4; ++i) {
      asio::co_spawn(executor, client.send(get(fmt::format("/{}", i))),
                     [&](std::exception_ptr, const Expected<web::ClientResponse>& response) {
                       if (response && ++answered == 4) all.cancel();
                     });
    }
    // The fifth does not want to wait that long; it leaves the queue and nothing else changes.
    const auto impatient = co_await client.send(get("/impatient", 100ms));
    REQUIRE_FALSE(impatient.has_value());
    CHECK(impatient.error().code == ErrorCode::upstream_timeout);
    go.add("go");
    co_await all.async_wait(async::as_result);
  });
  CHECK(answered == 4);
  CHECK(seen.entries() == std::vector<std::string>{"GET /0", "GET /1", "GET /2", "GET /3"});
  CHECK(server.accepted() == 1);
}

TEST_CASE("a cancelled request gives its place back") {
  Journal seen;
  Server server([&](Connection& connection) {
    connection.request();
    if (connection.number() == 1) {
      seen.add("first");
      connection.closed_by_client();
    } else {
      connection.send(with_length("second"));
    }
  });
  run([&](Executor executor) -> Task<> {
    web::ClientOptions options;
    options.max_connections = 1;
    auto client = client_of(executor, server.url(), options);
    asio::cancellation_signal stop_running;
    asio::cancellation_signal stop_waiting;
    int ended = 0;
    const auto count = [&](std::exception_ptr, const Expected<web::ClientResponse>&) { ++ended; };
    asio::co_spawn(executor, client.send(get("/running")), asio::bind_cancellation_slot(stop_running.slot(), count));
    asio::co_spawn(executor, client.send(get("/waiting")), asio::bind_cancellation_slot(stop_waiting.slot(), count));
    while (seen.entries().empty()) co_await async::sleep_for(executor, 1ms);
    stop_waiting.emit(asio::cancellation_type::terminal);
    stop_running.emit(asio::cancellation_type::terminal);
    const auto response = co_await client.send(get("/second"));
    REQUIRE(response.has_value());
    CHECK(response->body == "second");
    CHECK(ended == 2);
  });
}

TEST_CASE("a client may go while its requests are under way") {
  Journal go;
  Server server([&](Connection& connection) {
    connection.request();
    go.wait_for(1);
    connection.send(with_length("late"));
  });
  std::vector<std::string> bodies;
  run([&](Executor executor) -> Task<> {
    {
      web::ClientOptions options;
      options.max_connections = 1;
      auto client = client_of(executor, server.url(), options);
      for (int i = 0; i < 2; ++i) {
        asio::co_spawn(executor, client.send(get("/")),
                       [&](std::exception_ptr, const Expected<web::ClientResponse>& response) {
                         bodies.push_back(response ? response->body : "error");
                       });
      }
      co_await async::sleep_for(executor, 1ms);
    }
    go.add("go");
  });
  CHECK(bodies == std::vector<std::string>{"late", "late"});
}

TEST_CASE("an unused connection is closed after the idle time") {
  Journal seen;
  Server server([&](Connection& connection) {
    connection.request();
    connection.send(with_length("x"));
    seen.add(connection.closed_by_client() ? "closed" : "left open");
  });
  run([&](Executor executor) -> Task<> {
    web::ClientOptions options;
    options.idle_time = 0s;
    auto client = client_of(executor, server.url(), options);
    REQUIRE((co_await client.send(get("/"))).has_value());
    for (int i = 0; i < 5'000 && seen.entries().empty(); ++i) co_await async::sleep_for(executor, 1ms);
    CHECK(seen.entries() == std::vector<std::string>{"closed"});
  });
}
