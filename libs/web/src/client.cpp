#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/url/encode.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <cameleer/web/client.hpp>

#include "client_answer.hpp"
#include "client_pool.hpp"

namespace cameleer::web {

using client::AnswerReader;
using client::Deadline;
using client::Lease;
using client::Pool;
using client::Watchdog;

struct Client::Impl {
  std::shared_ptr<Pool> pool;
};

namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

bool valid_header(const Header& header) {
  const auto name_char = [](char c) { return c > ' ' && c < 0x7f && c != ':'; };
  const auto value_char = [](char c) { return c != '\r' && c != '\n' && c != '\0'; };
  return !header.name.empty() && std::ranges::all_of(header.name, name_char) &&
         std::ranges::all_of(header.value, value_char);
}

bool valid_target(std::string_view target) {
  return target.starts_with('/') && std::ranges::all_of(target, [](char c) { return c > ' ' && c < 0x7f; });
}

std::string host_header(const Endpoint& endpoint) {
  if (endpoint.kind == Endpoint::Kind::unix_socket) return "localhost";
  const bool address6 = endpoint.host.find(':') != std::string::npos;
  auto host = address6 ? "[" + endpoint.host + "]" : endpoint.host;
  const std::uint16_t usual = endpoint.kind == Endpoint::Kind::tls ? 443 : 80;
  return endpoint.port == usual ? host : fmt::format("{}:{}", host, endpoint.port);
}

/// Request line and headers. Nothing that a caller passes can add a line of its own.
Expected<std::string> head_of(const ClientRequest& request, const Endpoint& endpoint) {
  if (!valid_target(request.target)) return fail(ErrorCode::malformed_request, "The request target is not valid.");
  std::string head = fmt::format("{} {} HTTP/1.1\r\n", name_of(request.method), request.target);
  bool has_host = false;
  for (const auto& header : request.headers) {
    if (!valid_header(header) || equal_ignoring_case(header.name, "Content-Length") ||
        equal_ignoring_case(header.name, "Transfer-Encoding")) {
      return fail(ErrorCode::malformed_request, "A request header is not valid.", header.name);
    }
    has_host = has_host || equal_ignoring_case(header.name, "Host");
    head.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  if (!has_host) head.append("Host: ").append(host_header(endpoint)).append("\r\n");
  const bool bodied =
      request.method == Method::post || request.method == Method::put || request.method == Method::patch;
  if (bodied || !request.body.empty()) head += fmt::format("Content-Length: {}\r\n", request.body.size());
  head += "\r\n";
  return head;
}

/// A request under way or answered: the connection it has, and what came of the answer.
struct Exchange {
  std::shared_ptr<Pool> pool;
  Lease lease;
  AnswerReader answer;
};

Error error_of(const Pool& pool, const AnswerReader& answer, bool too_late) {
  if (too_late) return {ErrorCode::upstream_timeout, fmt::format("{} did not answer in time.", pool.place())};
  if (answer.untouched()) {
    return {ErrorCode::unavailable, fmt::format("The connection to {} was lost before an answer.", pool.place())};
  }
  return {ErrorCode::upstream_error, fmt::format("The answer of {} is cut short or not HTTP.", pool.place())};
}

/// Reads until the answer leaves `state`, or `enough` bytes of its body are there. False: it broke.
async::Task<bool> read_while(Exchange& exchange, AnswerReader::State state, std::size_t enough) {
  while (exchange.answer.state() == state && exchange.answer.pending_body() < enough) {
    const auto room = exchange.answer.room();
    const auto transfer = co_await exchange.lease.transport()->read(room.data, room.size);
    exchange.answer.received(transfer.bytes);
    if (transfer.error == async::asio::error::eof) {
      exchange.answer.ended();
    } else if (transfer.error && exchange.answer.state() != AnswerReader::State::done) {
      // A TLS peer that leaves without saying so may have been cut off by anyone.
      co_return false;
    }
  }
  co_return exchange.answer.state() != AnswerReader::State::broken;
}

enum class Attempt : std::uint8_t { answered, lost_unsent, lost_sent };

async::Task<Attempt> attempt(Exchange& exchange, const std::string& head, const std::string& body) {
  const auto sent = co_await exchange.lease.transport()->write(head, body);
  if (sent.error && sent.bytes == 0) co_return Attempt::lost_unsent;
  // Also after a failed write: a server that refuses a body answers before it has read all of it.
  const bool read = co_await read_while(exchange, AnswerReader::State::header, 1);
  co_return read ? Attempt::answered : Attempt::lost_sent;
}

/// Sends the request and reads the header of its answer.
async::Task<Expected<std::unique_ptr<Exchange>>> start(std::shared_ptr<Pool> pool, const ClientRequest& request,
                                                       Watchdog& watchdog, Deadline deadline) {
  const auto head = head_of(request, pool->endpoint());
  if (!head) co_return std::unexpected(head.error());
  auto lease = co_await pool->acquire(deadline);
  if (!lease) co_return std::unexpected(std::move(lease.error()));
  auto exchange =
      std::make_unique<Exchange>(Exchange{pool, std::move(*lease), AnswerReader(request.method == Method::head)});

  for (bool kept = exchange->lease.reuse();; kept = false) {
    if (kept) {
      watchdog.watch(exchange->lease.transport());
    } else {
      auto connected = co_await exchange->lease.connect(watchdog, deadline);
      if (!connected) co_return std::unexpected(std::move(connected.error()));
    }
    const auto result = co_await attempt(*exchange, *head, request.body);
    if (result == Attempt::answered) co_return std::move(exchange);
    const bool again = kept && exchange->answer.untouched() && !watchdog.fired() &&
                       (result == Attempt::lost_unsent || request.idempotent);
    if (!again) co_return std::unexpected(error_of(*pool, exchange->answer, watchdog.fired()));
    pool->drop_idle();  // whatever ended this one has likely ended its siblings
    exchange->answer = AnswerReader(request.method == Method::head);
  }
}

class Stream final : public ClientStream {
 public:
  explicit Stream(std::unique_ptr<Exchange> exchange)
      : pool_(exchange->pool), exchange_(std::move(exchange)), head_(exchange_->answer.head()) {}

  const ClientResponse& head() const override { return head_; }

  async::Task<Expected<std::string>> next(std::chrono::milliseconds deadline) override {
    if (failed_) co_return std::unexpected(*failed_);
    if (!exchange_) co_return std::string();
    Watchdog watchdog(pool_->executor(), std::chrono::steady_clock::now() + deadline);
    watchdog.watch(exchange_->lease.transport());
    const bool whole = co_await read_while(*exchange_, AnswerReader::State::body, 1);
    auto piece = exchange_->answer.take_body();
    if (!piece.empty()) co_return piece;  // what came before a break is still handed on
    if (!whole) {
      failed_ = error_of(*pool_, exchange_->answer, watchdog.fired());
      exchange_.reset();
      co_return std::unexpected(*failed_);
    }
    if (exchange_->answer.reusable()) exchange_->lease.keep();
    exchange_.reset();
    co_return std::string();
  }

 private:
  std::shared_ptr<Pool> pool_;
  std::unique_ptr<Exchange> exchange_;
  ClientResponse head_;
  std::optional<Error> failed_;
};

async::Task<Expected<ClientResponse>> send_over(std::shared_ptr<Pool> pool, ClientRequest request) {
  const Deadline deadline = std::chrono::steady_clock::now() + request.deadline;
  Watchdog watchdog(pool->executor(), deadline);
  auto exchange = co_await start(pool, request, watchdog, deadline);
  if (!exchange) co_return std::unexpected(std::move(exchange.error()));
  auto& [unused, lease, answer] = **exchange;
  const auto most = pool->options().max_response_bytes;
  const bool whole = co_await read_while(**exchange, AnswerReader::State::body, most + 1);
  if (answer.pending_body() > most) {
    co_return fail(ErrorCode::upstream_error,
                   fmt::format("The answer of {} is larger than {} bytes.", pool->place(), most));
  }
  if (!whole) co_return std::unexpected(error_of(*pool, answer, watchdog.fired()));
  ClientResponse response = answer.head();
  response.body = answer.take_body();
  if (answer.reusable()) lease.keep();
  co_return response;
}

async::Task<Expected<std::unique_ptr<ClientStream>>> open_over(std::shared_ptr<Pool> pool, ClientRequest request) {
  const Deadline deadline = std::chrono::steady_clock::now() + request.deadline;
  Watchdog watchdog(pool->executor(), deadline);
  auto exchange = co_await start(pool, request, watchdog, deadline);
  if (!exchange) co_return std::unexpected(std::move(exchange.error()));
  co_return std::make_unique<Stream>(std::move(*exchange));
}

}  // namespace

Client::Client(async::Executor executor, Endpoint endpoint, ClientOptions options)
    : impl_(std::make_shared<Impl>(Impl{std::make_shared<Pool>(executor, std::move(endpoint), std::move(options))})) {}

Client::~Client() {
  impl_->pool->close();
}

async::Task<Expected<ClientResponse>> Client::send(ClientRequest request) {
  return send_over(impl_->pool, std::move(request));
}

async::Task<Expected<std::unique_ptr<ClientStream>>> Client::open(ClientRequest request) {
  return open_over(impl_->pool, std::move(request));
}

const Endpoint& Client::endpoint() const {
  return impl_->pool->endpoint();
}

std::string_view ClientResponse::header(std::string_view name) const {
  for (const auto& header : headers) {
    if (equal_ignoring_case(header.name, name)) return header.value;
  }
  return {};
}

Expected<Endpoint> Endpoint::parse(std::string_view url) {
  constexpr std::string_view kUnix = "unix:";
  if (url.starts_with(kUnix)) {
    auto path = url.substr(kUnix.size());
    if (path.starts_with("//")) path.remove_prefix(2);
    // 107: sun_path without its final NUL
    if (!path.starts_with('/') || path.size() > 107) {
      return fail(ErrorCode::bad_configuration, "A unix endpoint is unix: and an absolute path of at most 107 bytes.");
    }
    return Endpoint{Kind::unix_socket, std::string(path), 0};
  }
  const auto parsed = boost::urls::parse_uri(url);
  if (!parsed || (parsed->scheme() != "http" && parsed->scheme() != "https") || parsed->encoded_host().empty() ||
      parsed->has_userinfo() || parsed->has_query() || parsed->has_fragment() ||
      (!parsed->encoded_path().empty() && parsed->encoded_path() != "/")) {
    return fail(ErrorCode::bad_configuration, "An endpoint is http://host:port, https://host:port or unix:/path.");
  }
  const bool tls = parsed->scheme() == "https";
  if (parsed->has_port() && parsed->port_number() == 0) {
    return fail(ErrorCode::bad_configuration, "The port of an endpoint is a number from 1 to 65535.");
  }
  const std::uint16_t port = parsed->has_port() ? parsed->port_number() : (tls ? 443 : 80);
  return Endpoint{tls ? Kind::tls : Kind::tcp, std::string(parsed->host_address()), port};
}

std::string percent_encode(std::string_view text) {
  return boost::urls::encode(text, boost::urls::unreserved_chars);
}

}  // namespace cameleer::web
