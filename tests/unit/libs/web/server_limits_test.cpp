#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "live_server.hpp"

using namespace cameleer;
using namespace live;
using namespace std::chrono_literals;

TEST_CASE("slow headers and bodies get 408, idle connections are closed") {
  web::ServerOptions options;
  options.header_time = 1s;
  options.body_time = 1s;
  options.idle_time = 1s;
  const Server server(options);
  auto slow_head = server.connect();
  auto slow_body = server.connect();
  auto silent = server.connect();
  auto idle = server.connect();
  slow_head.send("GET /hello HTTP/1.1\r\nHos");
  slow_body.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na");
  idle.send(get("/hello"));
  CHECK(idle.answer().status == 200);
  CHECK(code_of(slow_head.answer()) == "request_timeout");
  CHECK(code_of(slow_body.answer()) == "request_timeout");
  CHECK(ended(silent));
  CHECK(ended(idle));
  CHECK(server.counters().timeouts == 4);
}

TEST_CASE("a handler over its limit is answered 503 and its late answer is dropped") {
  auto late = web::Route{web::Method::get, "/late", {}, {"public"}, {1000, 1000, 1ms}, {}};
  late.handler = [](web::Request&) -> Task<web::Response> {
    auto executor = co_await boost::asio::this_coro::executor;
    co_await async::sleep_for(executor, 3s);
    co_return web::Response::json("{}");
  };
  const Server server({}, {late});
  auto peer = server.connect();
  peer.send(get("/late"));
  const auto answer = peer.answer();
  CHECK(answer.status == 503);
  CHECK(code_of(answer) == "overloaded");
  CHECK(answer.header("Retry-After") == "5");
  CHECK(ended(peer));
  CHECK(server.eventually([&] { return server.notes.statuses == std::vector<int>{503}; }));
}

TEST_CASE("connections over the bound wait in the kernel") {
  web::ServerOptions options;
  options.max_connections = 2;
  const Server server(options);
  auto first = server.connect();
  const auto second = server.connect();
  auto third = server.connect();
  third.send(get("/hello"));
  first.send(get("/hello"));
  CHECK(first.answer().status == 200);
  CHECK(server.counters().accepted == 2);
  first.close();
  CHECK(third.answer().status == 200);
}

TEST_CASE("a stop lets the request in flight end and closes idle connections") {
  Server server;
  auto idle = server.connect();
  auto busy = server.connect();
  idle.send(get("/hello"));
  CHECK(idle.answer().status == 200);
  busy.send(get("/held"));
  REQUIRE(server.eventually([&] { return server.notes.handled == 2; }));
  auto stopped = server.stop();
  CHECK(ended(idle));
  CHECK(stopped.wait_for(0s) != std::future_status::ready);
  server.on_loop([&] { server.notes.release = true; });
  const auto answer = busy.answer();
  CHECK(answer.status == 200);
  CHECK(answer.header("Connection") == "close");
  stopped.get();
  CHECK_THROWS(server.connect());
}

TEST_CASE("a stop cuts what does not end in time") {
  web::ServerOptions options;
  options.drain_time = 1s;
  Server server(options);
  auto busy = server.connect();
  busy.send(get("/held"));
  REQUIRE(server.eventually([&] { return server.notes.handled == 1; }));
  server.stop().get();
  CHECK(ended(busy));
  server.on_loop([&] { server.notes.release = true; });
}
