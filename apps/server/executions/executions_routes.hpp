#pragma once
#include <cameleer/web/router.hpp>

#include "server/executions/executions_service.hpp"

namespace cameleer::server {

/// GET /api/v1/environments/{environment}/executions and …/executions/{executionId}
void add_executions_routes(web::Router& router, ExecutionsService& service);

}  // namespace cameleer::server
