#pragma once
#include <cameleer/web/router.hpp>

#include "server/agents/agent_service.hpp"

namespace cameleer::server {

void add_agent_routes(web::Router& router, AgentService& agents);

}  // namespace cameleer::server
