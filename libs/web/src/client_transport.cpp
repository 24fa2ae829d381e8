#include "client_transport.hpp"

#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>

namespace cameleer::web::client {
namespace {

namespace asio = async::asio;
using asio::ip::tcp;
using TcpSocket = asio::basic_stream_socket<tcp, async::Executor>;
using UnixSocket = asio::basic_stream_socket<asio::local::stream_protocol, async::Executor>;
using TlsStream = asio::ssl::stream<TcpSocket>;

template <class Stream>
class StreamTransport : public Transport {
 public:
  async::Task<Transfer> write(std::string_view head, std::string_view body) override {
    const std::array buffers{asio::buffer(head), asio::buffer(body)};
    auto [error, bytes] = co_await asio::async_write(stream_, buffers, async::as_result);
    co_return Transfer{error, bytes};
  }

  async::Task<Transfer> read(char* into, std::size_t size) override {
    auto [error, bytes] = co_await stream_.async_read_some(asio::buffer(into, size), async::as_result);
    co_return Transfer{error, bytes};
  }

  void abort() override {
    aborted_ = true;
    ErrorCodeOf ignored;
    stream_.lowest_layer().close(ignored);
  }

  bool stale() override {
    char byte = 0;
    const auto got = ::recv(stream_.lowest_layer().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got > 0) return !std::is_same_v<Stream, TlsStream>;  // TLS has records of its own, such as tickets
    return got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
  }

 protected:
  template <class... Arguments>
  explicit StreamTransport(Arguments&&... arguments) : stream_(std::forward<Arguments>(arguments)...) {}

  async::Task<ErrorCodeOf> connect_tcp(const Addresses& addresses) {
    ErrorCodeOf error = asio::error::host_not_found;
    auto& socket = stream_.lowest_layer();
    for (const auto& address : addresses) {
      if (aborted_) break;
      ErrorCodeOf ignored;
      socket.close(ignored);
      auto [result] = co_await socket.async_connect(address, async::as_result);
      error = result;
      if (!error) {
        socket.set_option(tcp::no_delay(true), ignored);
        break;
      }
    }
    co_return aborted_ ? ErrorCodeOf(asio::error::operation_aborted) : error;
  }

  Stream stream_;
  bool aborted_ = false;
};

class TcpTransport final : public StreamTransport<TcpSocket> {
 public:
  TcpTransport(async::Executor executor, Addresses addresses)
      : StreamTransport(executor), addresses_(std::move(addresses)) {}
  async::Task<ErrorCodeOf> connect() override { return connect_tcp(addresses_); }

 private:
  Addresses addresses_;
};

class UnixTransport final : public StreamTransport<UnixSocket> {
 public:
  UnixTransport(async::Executor executor, const std::string& path) : StreamTransport(executor), path_(path) {}
  async::Task<ErrorCodeOf> connect() override {
    auto [error] = co_await stream_.async_connect(asio::local::stream_protocol::endpoint(path_), async::as_result);
    co_return aborted_ ? ErrorCodeOf(asio::error::operation_aborted) : error;
  }

 private:
  std::string path_;
};

class TlsTransport final : public StreamTransport<TlsStream> {
 public:
  TlsTransport(async::Executor executor, Addresses addresses, asio::ssl::context& context, const std::string& host)
      : StreamTransport(executor, context), addresses_(std::move(addresses)), host_(host) {}

  async::Task<ErrorCodeOf> connect() override {
    ErrorCodeOf error;
    stream_.set_verify_mode(asio::ssl::verify_peer, error);
    if (!error) stream_.set_verify_callback(asio::ssl::host_name_verification(host_), error);
    if (error) co_return error;
    ErrorCodeOf not_an_address;
    asio::ip::make_address(host_, not_an_address);
    if (not_an_address && SSL_set_tlsext_host_name(stream_.native_handle(), host_.c_str()) != 1) {
      co_return asio::error::make_error_code(asio::error::invalid_argument);
    }
    error = co_await connect_tcp(addresses_);
    if (error) co_return error;
    auto [result] = co_await stream_.async_handshake(asio::ssl::stream_base::client, async::as_result);
    co_return aborted_ ? ErrorCodeOf(asio::error::operation_aborted) : result;
  }

 private:
  Addresses addresses_;
  std::string host_;
};

struct Lookup {
  Lookup(async::Executor executor, Deadline deadline) : resolver(executor), done(executor, deadline) {}
  asio::ip::basic_resolver<tcp, async::Executor> resolver;
  async::SteadyTimer done;  // cancelled when the answer is there
  std::optional<ErrorCodeOf> error;
  Addresses addresses;
};

}  // namespace

std::shared_ptr<Transport> make_tcp(async::Executor executor, Addresses addresses) {
  return std::make_shared<TcpTransport>(executor, std::move(addresses));
}

std::shared_ptr<Transport> make_unix(async::Executor executor, const std::string& path) {
  return std::make_shared<UnixTransport>(executor, path);
}

std::shared_ptr<Transport> make_tls(async::Executor executor, Addresses addresses, asio::ssl::context& context,
                                    const std::string& host) {
  return std::make_shared<TlsTransport>(executor, std::move(addresses), context, host);
}

Expected<std::shared_ptr<asio::ssl::context>> make_tls_context(const std::string& ca_file) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  ErrorCodeOf error;
  if (ca_file.empty()) {
    context->set_default_verify_paths(error);
  } else {
    context->load_verify_file(ca_file, error);
  }
  if (error) {
    return fail(ErrorCode::bad_configuration,
                fmt::format("The certificate authorities cannot be read ({}).", ca_file.empty() ? "system" : ca_file));
  }
  return context;
}

async::Task<Expected<Addresses>> resolve(async::Executor executor, std::string host, std::uint16_t port,
                                         Deadline deadline) {
  ErrorCodeOf not_an_address;
  const auto address = asio::ip::make_address(host, not_an_address);
  if (!not_an_address) co_return Addresses{tcp::endpoint(address, port)};

  auto lookup = std::make_shared<Lookup>(executor, deadline);
  // A lookup that is in the system's resolver cannot be interrupted: it is left to end by itself.
  lookup->resolver.async_resolve(host, std::to_string(port), [lookup](ErrorCodeOf error, const auto& results) {
    lookup->error = error;
    for (const auto& result : results) lookup->addresses.push_back(result.endpoint());
    lookup->done.cancel();
  });
  co_await lookup->done.async_wait(async::as_result);
  if (!lookup->error) co_return fail(ErrorCode::upstream_timeout, fmt::format("Looking up {} took too long.", host));
  if (*lookup->error || lookup->addresses.empty()) {
    co_return fail(ErrorCode::unavailable, fmt::format("The name {} cannot be resolved.", host));
  }
  co_return std::move(lookup->addresses);
}

Watchdog::Watchdog(async::Executor executor, Deadline deadline)
    : state_(std::make_shared<State>(State{async::SteadyTimer(executor, deadline)})) {
  state_->timer.async_wait([state = state_](ErrorCodeOf error) {
    if (error) return;
    state->fired = true;
    if (auto transport = state->watched.lock()) transport->abort();
  });
}

Watchdog::~Watchdog() {
  state_->watched.reset();  // the timer's handler may be under way already
  state_->timer.cancel();
}

void Watchdog::watch(const std::shared_ptr<Transport>& transport) {
  state_->watched = transport;
  if (state_->fired && transport) transport->abort();
}

}  // namespace cameleer::web::client
