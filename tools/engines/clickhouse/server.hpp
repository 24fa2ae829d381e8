#pragma once
#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include "query_handler.hpp"

namespace cameleer::engine {

/// Listens on a loopback address; a thread a connection, for the engine's calls block. A connection above the bound is
/// answered 503 with ClickHouse's error 202 and closed.
class Server {
 public:
  Server(QueryHandler& handler, QueryWatch& watch, std::size_t max_connections)
      : handler_(handler), watch_(watch), max_connections_(max_connections) {}

  /// Binds `host:port`; the error is one sentence. The chosen port is `port()`.
  std::expected<void, std::string> listen(const std::string& host, std::uint16_t port);
  [[nodiscard]] std::uint16_t port() const { return port_; }

  /// Accepts until `stop_fd` is readable, then lets running statements end within `grace`, kills the rest, and returns
  /// with no thread left; false: some did not end in time.
  bool run(int stop_fd, std::chrono::milliseconds grace);

 private:
  struct Connection {
    Connection(Server& server, Descriptor fd) : socket(std::move(fd)), server(server) {}
    Socket socket;
    Server& server;
    std::thread thread;
    bool busy = false;
    bool ended = false;
  };
  void accept_one();
  void serve(Connection& connection);
  void refuse(Descriptor fd);
  void join_ended();
  bool wait_until_ended(std::chrono::steady_clock::time_point deadline);

  QueryHandler& handler_;
  QueryWatch& watch_;
  std::size_t max_connections_;
  Descriptor listener_;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::list<Connection> connections_;
  bool stopping_ = false;
};

}  // namespace cameleer::engine
