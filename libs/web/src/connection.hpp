#pragma once
#include <memory>

#include "server_state.hpp"
#include "tls_stream.hpp"

namespace cameleer::web {

/// Starts to serve a connection; it owns itself until it ends. Plain and TLS streams are each compiled in one place.
void serve_plain(Socket socket, std::shared_ptr<ServerState> state);
void serve_tls(Socket socket, std::shared_ptr<ServerState> state, boost::asio::ssl::context& context);

}  // namespace cameleer::web
