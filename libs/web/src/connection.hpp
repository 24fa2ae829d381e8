#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "server_state.hpp"

namespace cameleer::web {

using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, async::Executor>;

/// Starts to serve a connection; it owns itself until it ends. Plain and TLS streams are each compiled in one place.
void serve_plain(Socket socket, std::shared_ptr<ServerState> state);
void serve_tls(Socket socket, std::shared_ptr<ServerState> state, boost::asio::ssl::context& context);

}  // namespace cameleer::web
