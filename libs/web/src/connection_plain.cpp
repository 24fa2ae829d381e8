#include <fmt/compile.h>

#include "connection_of.hpp"

namespace cameleer::web {

void serve_plain(Socket socket, std::shared_ptr<ServerState> state) {
  auto executor = state->executor;
  auto connection = std::make_shared<Connection<Socket>>(std::move(state), std::move(socket));
  boost::asio::co_spawn(executor, Connection<Socket>::run(std::move(connection)), boost::asio::detached);
}

}  // namespace cameleer::web
