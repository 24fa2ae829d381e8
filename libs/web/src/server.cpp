#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cameleer/web/server.hpp>
#include <optional>

#include "connection.hpp"

namespace cameleer::web {

namespace asio = boost::asio;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, async::Executor>;

struct Server::Impl {
  std::shared_ptr<ServerState> state;
  std::shared_ptr<asio::ssl::context> tls;
  std::shared_ptr<Acceptor> acceptor;
  std::shared_ptr<async::SteadyTimer> sweep_timer;
  std::uint16_t port = 0;

  Expected<void> load_certificate();
  Expected<void> listen();
  void cut_all();
  static async::Task<> accept(std::shared_ptr<ServerState> state, std::shared_ptr<Acceptor> acceptor,
                              std::shared_ptr<asio::ssl::context> tls);
  static async::Task<> sweep(std::shared_ptr<ServerState> state, std::shared_ptr<async::SteadyTimer> timer);
};

namespace {

/// Visits every connection; a visit may end the one visited.
template <class Visit>
void for_each(ServerState& state, Visit visit) {
  for (auto at = state.connections.begin(); at != state.connections.end();) visit(*at++);
}

}  // namespace

Expected<void> Server::Impl::load_certificate() {
  const auto& options = state->options;
  if (options.tls_certificate_file.empty() && options.tls_key_file.empty()) return {};
  if (options.tls_certificate_file.empty() || options.tls_key_file.empty()) {
    return fail(ErrorCode::bad_configuration, "TLS needs both a certificate and a key file.");
  }
  tls = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_session_cache_mode(tls->native_handle(), SSL_SESS_CACHE_OFF);  // tickets need none
  SSL_CTX_set_options(tls->native_handle(), SSL_OP_NO_RENEGOTIATION);
  boost::system::error_code error;
  tls->use_certificate_chain_file(options.tls_certificate_file, error);
  if (error) {
    return fail(ErrorCode::bad_configuration,
                fmt::format("Cannot read the TLS certificate {}: {}.", options.tls_certificate_file, error.message()));
  }
  tls->use_private_key_file(options.tls_key_file, asio::ssl::context::pem, error);
  if (error || SSL_CTX_check_private_key(tls->native_handle()) != 1) {
    return fail(ErrorCode::bad_configuration,
                fmt::format("The TLS key {} cannot be read or is not that of the certificate {}.", options.tls_key_file,
                            options.tls_certificate_file));
  }
  return {};
}

Expected<void> Server::Impl::listen() {
  const auto& options = state->options;
  boost::system::error_code error;
  const auto address = asio::ip::make_address(options.address, error);
  if (error) {
    return fail(ErrorCode::bad_configuration,
                fmt::format("Cannot listen on '{}': it is not an IP address.", options.address));
  }
  const asio::ip::tcp::endpoint endpoint(address, options.port);
  acceptor = std::make_shared<Acceptor>(state->executor);
  acceptor->open(endpoint.protocol(), error);
  if (!error) acceptor->set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor->bind(endpoint, error);
  if (!error) acceptor->listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return fail(ErrorCode::bad_configuration,
                fmt::format("Cannot listen on {} port {}: {}.", options.address, options.port, error.message()));
  }
  port = acceptor->local_endpoint(error).port();
  return {};
}

void Server::Impl::cut_all() {
  for_each(*state, [](ConnectionBase& connection) { connection.cut(); });
}

async::Task<> Server::Impl::accept(std::shared_ptr<ServerState> state, std::shared_ptr<Acceptor> acceptor,
                                   std::shared_ptr<asio::ssl::context> tls) {
  while (acceptor->is_open()) {
    if (state->counters.connections >= state->options.max_connections) {
      state->room_made.expires_at(ConnectionBase::Time::max());
      co_await state->room_made.async_wait(async::as_result);
      continue;
    }
    auto [error, socket] = co_await acceptor->async_accept(async::as_result);
    if (state->draining) break;
    if (error) {
      // Out of descriptors, most likely: waiting is all that helps.
      co_await async::sleep_for(state->executor, std::chrono::milliseconds(100));
      continue;
    }
    ++state->counters.accepted;
    ++state->counters.connections;
    if (tls) {
      serve_tls(std::move(socket), state, *tls);
    } else {
      serve_plain(std::move(socket), state);
    }
  }
}

async::Task<> Server::Impl::sweep(std::shared_ptr<ServerState> state, std::shared_ptr<async::SteadyTimer> timer) {
  while (!state->stopped) {
    timer->expires_after(std::chrono::seconds(1));
    co_await timer->async_wait(async::as_result);
    state->tick();
    for_each(*state, [&](ConnectionBase& connection) {
      if (connection.deadline <= state->now) connection.expire();
    });
  }
}

Server::Server(async::Executor executor, async::WorkerPool& workers, const Router& router, Authorizer authorizer,
               Observer observer, ServerOptions options)
    : impl_(std::make_unique<Impl>()) {
  impl_->state = std::make_shared<ServerState>(executor, workers, router, std::move(options));
  impl_->state->authorizer = std::move(authorizer);
  impl_->state->observer = std::move(observer);
}

Server::~Server() {
  boost::system::error_code ignored;
  impl_->state->draining = true;
  impl_->state->stopped = true;
  if (impl_->acceptor) impl_->acceptor->close(ignored);
  if (impl_->sweep_timer) impl_->sweep_timer->cancel();
  impl_->state->room_made.cancel();
  impl_->cut_all();
}

Expected<void> Server::start() {
  auto proxies = TrustedProxies::parse(impl_->state->options.trusted_proxies);
  if (!proxies) return std::unexpected(proxies.error());
  impl_->state->proxies = std::move(*proxies);
  if (auto loaded = impl_->load_certificate(); !loaded) return loaded;
  if (auto listening = impl_->listen(); !listening) return listening;
  impl_->sweep_timer = std::make_shared<async::SteadyTimer>(impl_->state->executor);
  asio::co_spawn(impl_->state->executor, Impl::accept(impl_->state, impl_->acceptor, impl_->tls), asio::detached);
  asio::co_spawn(impl_->state->executor, Impl::sweep(impl_->state, impl_->sweep_timer), asio::detached);
  return {};
}

std::uint16_t Server::port() const {
  return impl_->port;
}

Server::Counters Server::counters() const {
  return impl_->state->counters;
}

async::Task<> Server::stop() {
  auto state = impl_->state;
  boost::system::error_code ignored;
  state->draining = true;
  if (impl_->acceptor) impl_->acceptor->close(ignored);
  state->room_made.cancel();
  for_each(*state, [](ConnectionBase& connection) { connection.drain(); });
  const auto end = std::chrono::steady_clock::now() + state->options.drain_time;
  while (state->counters.connections > 0 && std::chrono::steady_clock::now() < end) {
    state->room_made.expires_at(end);
    co_await state->room_made.async_wait(async::as_result);
  }
  impl_->cut_all();
  state->stopped = true;
  if (impl_->sweep_timer) impl_->sweep_timer->cancel();
  // Cut connections end in the next turns of the loop; a handler that still works keeps its own alive.
  const auto grace = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
  while (state->counters.connections > 0 && std::chrono::steady_clock::now() < grace) {
    state->room_made.expires_at(grace);
    co_await state->room_made.async_wait(async::as_result);
  }
}

}  // namespace cameleer::web
