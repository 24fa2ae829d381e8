#pragma once
#include <cameleer/web/router.hpp>

#include "server/commands/command_service.hpp"

namespace cameleer::server {

/// What operators send and read, and what agents take and acknowledge.
void add_command_routes(web::Router& router, CommandService& commands);

}  // namespace cameleer::server
