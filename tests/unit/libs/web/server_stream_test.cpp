#include <fmt/format.h>

#include <cameleer/web/event_stream.hpp>
#include <catch2/catch.hpp>

#include "live_server.hpp"

using namespace cameleer;
using namespace live;
using namespace std::chrono_literals;

namespace {

web::Route streaming(std::string path, std::function<Task<>(web::BodyWriter&)> writer) {
  return {web::Method::get,
          std::move(path),
          {},
          {"public"},
          {},
          [writer = std::move(writer)](web::Request&) -> Task<web::Response> { co_return web::event_stream(writer); }};
}

Task<> three_pieces(web::BodyWriter& writer) {
  for (const auto* piece : {"one ", "", "two ", "three"}) co_await writer.write(piece);
}

}  // namespace

TEST_CASE("an event is rendered as the standard has it") {
  CHECK(web::render({{}, {}, "x"}) == "data: x\n\n");
  CHECK(web::render({"gap", "7", "a\nb\r\nc\rd"}) == "id: 7\nevent: gap\ndata: a\ndata: b\ndata: c\ndata: d\n\n");
}

TEST_CASE(
    "a streamed answer is chunked, the connection goes on; HTTP/1.0 gets it up to the close; HEAD only its head") {
  const Server server({}, {streaming("/stream", three_pieces)});
  auto peer = server.connect();
  peer.send(get("/stream") + get("/hello"));
  CHECK(peer.until("\r\n\r\n").find("Transfer-Encoding: chunked\r\n") != std::string::npos);
  CHECK(peer.until("0\r\n\r\n") == "4\r\none \r\n4\r\ntwo \r\n5\r\nthree\r\n0\r\n\r\n");
  CHECK(peer.answer().status == 200);
  peer.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n" + get("/hello"));
  CHECK(peer.answer(true).status == 200);
  CHECK(peer.answer().body.size() == 17);
  const auto old = server.exchange("GET /stream HTTP/1.0\r\n\r\n");
  CHECK(old.ends_with("\r\n\r\none two three"));
}

TEST_CASE("a stream that fails is cut without its last chunk") {
  const Server server({}, {streaming("/stream", [](web::BodyWriter& writer) -> Task<> {
                        co_await writer.write("begun");
                        throw std::runtime_error("broken");
                      })});
  const auto all = server.exchange(get("/stream"));
  CHECK(all.ends_with("5\r\nbegun\r\n"));
  CHECK(server.on_loop([&] { return server.notes.exceptions; }) == std::vector<std::string>{"broken"});
}

TEST_CASE("a stream that only waits hears that its peer has gone") {
  bool ended = false;
  web::EventQueue* queue = nullptr;
  const Server server({}, {streaming("/events", [&](web::BodyWriter& writer) -> Task<> {
                        auto executor = co_await boost::asio::this_coro::executor;
                        web::EventQueue own(executor, 4);
                        queue = &own;
                        co_await own.run(writer, 1h);
                        ended = true;
                      })});
  auto peer = server.connect();
  peer.send(get("/events"));
  REQUIRE(server.eventually([&] { return queue != nullptr; }));
  CHECK(server.on_loop([&] { return queue->publish({"hello", "1", "world"}); }));
  CHECK(peer.until("\r\n\r\n").find("text/event-stream") != std::string::npos);
  CHECK(peer.until("world\n\n").ends_with("id: 1\nevent: hello\ndata: world\n\n"));
  CHECK_FALSE(server.on_loop([&] { return ended; }));
  peer.close();
  CHECK(server.eventually([&] { return ended; }));
}

TEST_CASE("an event queue is bounded, ends when closed and tells the peer so") {
  std::unique_ptr<web::EventQueue> queue;
  const Server server(
      {}, {streaming("/events", [&](web::BodyWriter& writer) -> Task<> { co_await queue->run(writer, 1h); })});
  server.on_loop([&] {
    queue = std::make_unique<web::EventQueue>(boost::asio::io_context::executor_type(server.executor()), 2);
    CHECK(queue->publish({{}, {}, "1"}));
    CHECK(queue->publish({{}, {}, "2"}));
    CHECK_FALSE(queue->publish({{}, {}, "3"}));
  });
  auto peer = server.connect();
  peer.send(get("/events"));
  peer.until("data: 2\n\n");
  server.on_loop([&] { queue->close(); });
  CHECK(peer.until("0\r\n\r\n").ends_with("0\r\n\r\n"));
  server.on_loop([&] { queue.reset(); });
}

TEST_CASE("a reader that stops holds up its own writer only and is dropped after the write limit") {
  std::size_t written = 0;
  bool refused = false;
  web::ServerOptions options;
  options.write_time = 2s;
  const Server server(options, {streaming("/flood", [&](web::BodyWriter& writer) -> Task<> {
                        const std::string block(64 * 1024, 'x');
                        while (co_await writer.write(block)) written += block.size();
                        refused = true;
                      })});
  auto peer = server.connect();
  peer.receive_buffer(4096);
  peer.send(get("/flood"));
  // The writer stands still once the kernel's buffers are full, far below what an unbounded one would have queued.
  std::size_t before = 0;
  REQUIRE(server.eventually([&] { return written > 0; }));
  for (int round = 0; round < 20; ++round) {
    CHECK(server.ask(get("/hello")).status == 200);
    before = server.on_loop([&] { return written; });
  }
  CHECK(before < (64u << 20));
  CHECK(server.eventually([&] { return refused; }));
  CHECK(server.eventually([&] { return server.connections() <= 1; }));
}

TEST_CASE("a stop ends the streams") {
  bool ended = false;
  web::EventQueue* queue = nullptr;
  Server server({}, {streaming("/events", [&](web::BodyWriter& writer) -> Task<> {
                  auto executor = co_await boost::asio::this_coro::executor;
                  web::EventQueue own(executor, 4);
                  queue = &own;
                  co_await own.run(writer, 1h);
                  ended = true;
                })});
  auto peer = server.connect();
  peer.send(get("/events"));
  REQUIRE(server.eventually([&] { return queue != nullptr; }));
  server.stop().get();
  CHECK(ended);
  CHECK(peer.rest().ends_with("0\r\n\r\n"));
}
