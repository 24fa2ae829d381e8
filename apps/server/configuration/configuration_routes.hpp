#pragma once
#include <cameleer/web/router.hpp>

#include "server/configuration/configuration_service.hpp"

namespace cameleer::server {

void add_configuration_routes(web::Router& router, ConfigurationService& configuration);

}  // namespace cameleer::server
