#pragma once
#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cameleer/web/client.hpp>
#include <catch2/catch.hpp>

#include "../../temporary_folder.hpp"
#include "scripted_peer.hpp"

/// What tests of a client say again and again.
namespace scripted {

namespace web = cameleer::web;
using cameleer::async::Executor;
using cameleer::async::Task;
using cameleer::test::TemporaryFolder;
using namespace std::chrono_literals;

/// Runs a coroutine to its end; what it throws, assertions included, is thrown here. `body` outlives the coroutine.
template <class Body>
void run(Body body) {
  boost::asio::io_context context;
  std::exception_ptr thrown;
  bool done = false;
  boost::asio::co_spawn(context.get_executor(), body(context.get_executor()), [&](std::exception_ptr error) {
    thrown = error;
    done = true;
  });
  context.run_for(60s);
  if (thrown) std::rethrow_exception(thrown);
  REQUIRE(done);
}

inline web::Client client_of(Executor executor, const std::string& url, web::ClientOptions options = {}) {
  return web::Client(executor, web::Endpoint::parse(url).value(), std::move(options));
}

inline web::ClientRequest get(std::string target, std::chrono::milliseconds deadline = 20s) {
  web::ClientRequest request;
  request.target = std::move(target);
  request.deadline = deadline;
  return request;
}

inline web::ClientRequest post(std::string body) {
  web::ClientRequest request;
  request.method = web::Method::post;
  request.body = std::move(body);
  return request;
}

inline std::string with_length(std::string_view body) {
  return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
}

/// Answers every request with the same bytes, then closes when `close` says so.
inline Server::Script answering(std::string bytes, bool close) {
  return [bytes = std::move(bytes), close](Connection& connection) {
    while (connection.request()) {
      connection.send(bytes);
      if (close) return;
    }
  };
}

}  // namespace scripted
