#include "server/agents/protocol_version.hpp"

#include <array>

namespace cameleer::server {

Expected<void> check_protocol_version(const web::Request& request) {
  for (const std::string_view name :
       std::array{std::string_view("X-Cameleer-Protocol-Version"), std::string_view("X-Protocol-Version")}) {
    const auto version = request.header(name);
    if (version.empty() || version == "1") continue;
    return fail(ErrorCode::unsupported_version, "This server speaks version 1 of the agent protocol.",
                std::string(name));
  }
  return {};
}

}  // namespace cameleer::server
