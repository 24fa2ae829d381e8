#include <fmt/compile.h>

#include "connection_of.hpp"

namespace cameleer::web {

void serve_tls(Socket socket, std::shared_ptr<ServerState> state, boost::asio::ssl::context& context) {
  auto executor = state->executor;
  auto connection =
      std::make_shared<Connection<TlsStream>>(std::move(state), std::move(socket), context, TlsStream::Role::server);
  boost::asio::co_spawn(executor, Connection<TlsStream>::run(std::move(connection)), boost::asio::detached);
}

}  // namespace cameleer::web
