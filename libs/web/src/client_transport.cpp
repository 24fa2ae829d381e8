#include "client_transport.hpp"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>

#include "tls_stream.hpp"

namespace cameleer::web::client {
namespace {

namespace asio = async::asio;
using asio::ip::tcp;
using UnixSocket = asio::basic_stream_socket<asio::local::stream_protocol, async::Executor>;

template <class Socket>
Socket& socket_of(Socket& stream) {
  return stream;
}
Socket& socket_of(TlsStream& stream) {
  return stream.socket();
}

using Buffers = std::array<asio::const_buffer, 2>;

template <class Socket>
auto write_all(Socket& stream, const Buffers& buffers) {
  return asio::async_write(stream, buffers, async::as_result);
}
async::Task<TlsStream::Transferred> write_all(TlsStream& stream, Buffers buffers) {
  std::size_t sent = 0;
  while (asio::buffer_size(buffers) > 0) {
    auto [error, bytes] = co_await stream.write_some(buffers);
    if (error) co_return TlsStream::Transferred(error, sent);
    sent += bytes;
    const auto of_first = std::min(bytes, buffers[0].size());
    buffers[0] += of_first;
    buffers[1] += bytes - of_first;
  }
  co_return TlsStream::Transferred(ErrorCodeOf(), sent);
}

template <class Socket>
auto read_some(Socket& stream, asio::mutable_buffer into) {
  return stream.async_read_some(into, async::as_result);
}
auto read_some(TlsStream& stream, asio::mutable_buffer into) {
  return stream.read_some(into);
}

template <class Stream>
class StreamTransport : public Transport {
 public:
  async::Task<Transfer> write(std::string_view head, std::string_view body) override {
    const Buffers buffers{asio::buffer(head), asio::buffer(body)};
    auto [error, bytes] = co_await write_all(stream_, buffers);
    co_return Transfer{error, bytes};
  }

  async::Task<Transfer> read(char* into, std::size_t size) override {
    auto [error, bytes] = co_await read_some(stream_, asio::buffer(into, size));
    co_return Transfer{error, bytes};
  }

  void abort() override {
    aborted_ = true;
    ErrorCodeOf ignored;
    socket_of(stream_).close(ignored);
  }

  bool stale() override {
    char byte = 0;
    const auto got = ::recv(socket_of(stream_).native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got > 0) return !std::is_same_v<Stream, TlsStream>;  // TLS has records of its own, such as tickets
    return got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
  }

 protected:
  template <class... OfStream>
  explicit StreamTransport(OfStream&&... of_stream) : stream_(std::forward<OfStream>(of_stream)...) {}

  async::Task<ErrorCodeOf> connect_tcp(const Addresses& addresses) {
    ErrorCodeOf error = asio::error::host_not_found;
    auto& socket = socket_of(stream_);
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

class TcpTransport final : public StreamTransport<Socket> {
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
      : StreamTransport(Socket(executor), context, TlsStream::Role::client),
        addresses_(std::move(addresses)),
        host_(host) {}

  async::Task<ErrorCodeOf> connect() override {
    if (!expect_host()) co_return asio::error::make_error_code(asio::error::invalid_argument);
    auto error = co_await connect_tcp(addresses_);
    if (error) co_return error;
    error = co_await stream_.shake_hands();
    co_return aborted_ ? ErrorCodeOf(asio::error::operation_aborted) : error;
  }

 private:
  /// The certificate must be for the host, and a server of many names is told which one is meant.
  bool expect_host() {
    auto* ssl = stream_.native_handle();
    SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
    ErrorCodeOf not_an_address;
    asio::ip::make_address(host_, not_an_address);
    if (!not_an_address) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host_.c_str()) == 1;
    return SSL_set1_host(ssl, host_.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, host_.c_str()) == 1;
  }

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
