#pragma once
#include <cameleer/web/router.hpp>

#include "server/environments/environment_service.hpp"

namespace cameleer::server {

void add_environment_routes(web::Router& router, EnvironmentService& environments);

}  // namespace cameleer::server
