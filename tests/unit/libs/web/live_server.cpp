#include "live_server.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json.hpp>
#include <catch2/catch.hpp>

namespace live {

using namespace cameleer;

Peer::Peer(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const int yes = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  const timeval limit{10, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("cannot connect");
}

Peer::~Peer() {
  close();
}

void Peer::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

bool Peer::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const auto count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void Peer::finish_sending() const {
  ::shutdown(descriptor_, SHUT_WR);
}

void Peer::receive_buffer(int bytes) const {
  ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

long Peer::receive(char* into, std::size_t size) const {
  return ::recv(descriptor_, into, size, 0);
}

std::string Peer::rest() const {
  std::string all = kept_;
  char piece[4096];
  for (;;) {
    const auto count = ::recv(descriptor_, piece, sizeof piece, 0);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      throw std::runtime_error("the server neither answers nor closes: " + all);
    if (count <= 0) return all;
    all.append(piece, static_cast<std::size_t>(count));
  }
}

bool Peer::more() {
  char piece[4096];
  const auto count = ::recv(descriptor_, piece, sizeof piece, 0);
  if (count <= 0) return false;
  kept_.append(piece, static_cast<std::size_t>(count));
  return true;
}

std::string Peer::until(std::string_view end) {
  std::size_t at;
  while ((at = kept_.find(end)) == std::string::npos) {
    if (!more()) return std::exchange(kept_, {});
  }
  auto text = kept_.substr(0, at + end.size());
  kept_.erase(0, at + end.size());
  return text;
}

Peer::Answer Peer::answer(bool bodyless) {
  Answer answer;
  answer.head = until("\r\n\r\n");
  if (answer.head.size() < 12) return answer;
  answer.status = std::stoi(answer.head.substr(9, 3));
  const auto length = answer.header("Content-Length");
  if (bodyless || length.empty()) return answer;
  const auto size = std::stoul(length);
  while (kept_.size() < size && more()) {
  }
  answer.body = kept_.substr(0, size);
  kept_.erase(0, size);
  return answer;
}

std::string Peer::Answer::header(std::string_view name) const {
  const auto at = head.find(fmt::format("\r\n{}: ", name));
  if (at == std::string::npos) return {};
  const auto from = at + name.size() + 4;
  return head.substr(from, head.find("\r\n", from) - from);
}

Server::Server(web::ServerOptions options, std::vector<web::Route> more) : guard_(context_.get_executor()) {
  add_routes(std::move(more));
  options.address = "127.0.0.1";
  options.on_exception = [this](const web::Request&, std::string_view what) { notes.exceptions.emplace_back(what); };
  auto authorizer = [this](web::Request& request, const web::Route& route) -> Task<Expected<void>> {
    ++notes.authorised;
    if (route.access.name == "nobody") co_return fail(ErrorCode::forbidden, "Nobody may.");
    if (route.access.name == "token" && request.header("Authorization").empty())
      co_return fail(ErrorCode::unauthenticated, "Who?");
    co_return Expected<void>{};
  };
  auto observer = [this](const web::Request&, const web::Route*, int status, std::size_t, std::chrono::nanoseconds) {
    notes.statuses.push_back(status);
  };
  server_ = std::make_unique<web::Server>(context_.get_executor(), workers_, router_, authorizer, observer,
                                          std::move(options));
  auto started = server_->start();
  if (!started) throw std::runtime_error(started.error().message);
  port_ = server_->port();
  thread_ = std::thread([this] { context_.run(); });
}

Server::~Server() {
  stop().get();
  on_loop([this] { server_.reset(); });
  guard_.reset();
  context_.stop();
  thread_.join();
}

void Server::add_routes(std::vector<web::Route> more) {
  using web::Method;
  using web::Request;
  using web::Response;
  const auto add = [this](Method method, std::string pattern, std::string_view access, web::Handler handler,
                          web::Limits limits = {}) {
    router_.add({method, std::move(pattern), {}, {access}, limits, std::move(handler)});
  };
  add(Method::get, "/hello", "public", [this](Request&) -> Task<Response> {
    ++notes.handled;
    co_return Response::json(R"({"hello":"world"})");
  });
  add(Method::get, "/items/{id}", "public",
      [](Request& request) -> Task<Response> { co_return Response::json(std::string(request.path_parameter("id"))); });
  const auto echo = [this](Request& request) -> Task<Response> {
    ++notes.handled;
    if (request.body.capacity() < request.body.size() + 64) throw std::logic_error("no room for simdjson");
    co_return Response::json(request.body);
  };
  add(Method::post, "/echo", "public", echo, {1000, 1000});
  add(Method::post, "/large", "public", echo, {4u << 20, 8u << 20});
  add(Method::post, "/forbidden", "nobody", echo, {4u << 20, 8u << 20});
  add(Method::post, "/token", "token", echo);
  add(Method::get, "/bug", "public", [](Request&) -> Task<Response> {
    throw std::runtime_error("inner text");
    co_return Response{};
  });
  add(Method::get, "/split", "public", [](Request&) -> Task<Response> {
    auto response = Response::json("{}");
    response.headers.push_back({"X-Bad", "a\r\nSet-Cookie: b"});
    co_return response;
  });
  add(Method::get, "/held", "public",
      [this](Request&) -> Task<Response> {
        ++notes.handled;
        while (!notes.release) co_await async::sleep_for(context_.get_executor(), std::chrono::milliseconds(5));
        co_return Response::json("{}");
      },
      {1000, 1000, std::chrono::milliseconds(60'000)});
  for (auto& route : more) router_.add(std::move(route));
  if (auto sealed = router_.seal(); !sealed) throw std::runtime_error(sealed.error().message);
}

std::string Server::exchange(std::string_view request) const {
  const auto peer = connect();
  peer.send(request);
  return peer.rest();
}

Peer::Answer Server::ask(std::string_view request) const {
  auto peer = connect();
  peer.send(request);
  return peer.answer();
}

web::Server::Counters Server::counters() const {
  return on_loop([this] { return server_->counters(); });
}

std::future<void> Server::stop() {
  return boost::asio::co_spawn(context_.get_executor(), server_->stop(), boost::asio::use_future);
}

std::string get(std::string_view path, std::string_view headers) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", path, headers);
}

std::string post(std::string_view path, std::string_view body, std::string_view headers) {
  return fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n{}\r\n{}", path, body.size(),
                     headers, body);
}

std::string chunked(std::string_view path, std::string_view body, std::string_view headers) {
  return fmt::format("POST {} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n", path,
                     headers, body.size(), body);
}

std::string gzip(std::string_view text) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

std::string code_of(const Peer::Answer& answer) {
  if (answer.header("Content-Type") != "application/problem+json") return "no problem document: " + answer.head;
  return std::string(boost::json::parse(answer.body).at("code").as_string());
}

bool ended(Peer& peer) {
  return peer.until("\n").empty();
}

}  // namespace live
