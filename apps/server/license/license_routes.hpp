#pragma once
#include <cameleer/web/router.hpp>

#include "server/license/license_service.hpp"

namespace cameleer::server {

void add_license_routes(web::Router& router, LicenseService& license);

}  // namespace cameleer::server
