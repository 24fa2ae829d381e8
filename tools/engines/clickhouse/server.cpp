#include "server.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace cameleer::engine {

std::expected<void, std::string> Server::listen(const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
    return std::unexpected(fmt::format("{} is not an IPv4 address", host));
  }
  if ((ntohl(address.sin_addr.s_addr) >> 24) != 127) {
    return std::unexpected(fmt::format("{} is not a loopback address: the engine serves this machine alone", host));
  }
  listener_ = Descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  socklen_t size = sizeof address;
  if (bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_.get(), 128) != 0 ||
      getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return std::unexpected(
        fmt::format("{}:{} cannot be listened on: {}", host, port, std::generic_category().message(errno)));
  }
  port_ = ntohs(address.sin_port);
  return {};
}

bool Server::run(int stop_fd, std::chrono::milliseconds grace) {
  std::array<pollfd, 2> waited{pollfd{listener_.get(), POLLIN, 0}, pollfd{stop_fd, POLLIN, 0}};
  while (true) {
    poll(waited.data(), waited.size(), -1);
    if (waited[1].revents != 0) break;
    if (waited[0].revents != 0) accept_one();
  }
  listener_ = Descriptor();
  const auto deadline = std::chrono::steady_clock::now() + grace;
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    for (Connection& connection : connections_) {
      if (!connection.busy) shutdown(connection.socket.fd(), SHUT_RDWR);
    }
  }
  // Half of the time for those that end by themselves, half for those that must be killed.
  if (!wait_until_ended(deadline - grace / 2)) {
    watch_.kill_all();
    const std::scoped_lock lock(mutex_);
    for (Connection& connection : connections_) shutdown(connection.socket.fd(), SHUT_RD);
  }
  const bool all = wait_until_ended(deadline);
  if (all) join_ended();
  return all;
}

bool Server::wait_until_ended(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  return ended_.wait_until(lock, deadline, [&] { return std::ranges::all_of(connections_, &Connection::ended); });
}

void Server::accept_one() {
  Descriptor fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (fd.get() < 0) {
    if (errno == EMFILE || errno == ENFILE) poll(nullptr, 0, 50);  // no descriptor to refuse with: let some end
    return;
  }
  join_ended();
  const std::scoped_lock lock(mutex_);
  if (connections_.size() >= max_connections_) return refuse(std::move(fd));
  Connection& connection = connections_.emplace_back(*this, std::move(fd));
  connection.thread = std::thread([this, &connection] { serve(connection); });
}

void Server::refuse(Descriptor fd) {
  // The answer fits the socket's buffer: this does not wait.
  const EngineError error = make_error(202, "TOO_MANY_SIMULTANEOUS_QUERIES",
                                       fmt::format("Too many connections. Maximum: {}", max_connections_));
  Socket socket(std::move(fd));
  Response response(socket, false, false);
  response.set("X-ClickHouse-Exception-Code", "202");
  response.send(503, error.text + "\n");
  shutdown(socket.fd(), SHUT_WR);
  std::array<char, 4096> unread{};
  [[maybe_unused]] const auto dropped = recv(socket.fd(), unread.data(), unread.size(), MSG_DONTWAIT);
}

void Server::join_ended() {
  std::list<Connection> over;
  {
    const std::scoped_lock lock(mutex_);
    for (auto at = connections_.begin(); at != connections_.end();) {
      const auto next = std::next(at);
      if (at->ended) over.splice(over.end(), connections_, at);
      at = next;
    }
  }
  for (Connection& connection : over) connection.thread.join();
}

void Server::serve(Connection& connection) {
  RequestReader request(connection.socket);
  const auto set_busy = [&](bool busy) {
    const std::scoped_lock lock(mutex_);
    connection.busy = busy;
    return !stopping_;
  };
  while (true) {
    const auto outcome = request.next();
    if (outcome == RequestReader::Outcome::closed) break;
    if (outcome == RequestReader::Outcome::malformed) {
      Response response(connection.socket, false, false);
      response.set("Content-Type", "text/plain; charset=UTF-8");
      response.send(400, "Bad Request\n");
      connection.socket.linger();
      break;
    }
    const bool going_on = set_busy(true);
    Response response(connection.socket, request.http_1_0(), request.keep_alive() && going_on);
    handler_.handle(request, response, connection.socket.fd());
    const bool usable = response.keeps_open() && request.drain();
    if (!usable && !response.failed()) connection.socket.linger();
    if (!set_busy(false) || !usable) break;
  }
  shutdown(connection.socket.fd(), SHUT_RDWR);
  const std::scoped_lock lock(mutex_);
  connection.ended = true;
  ended_.notify_all();
}

}  // namespace cameleer::engine
