#pragma once
#include <cameleer/web/router.hpp>

#include "server/users/role_service.hpp"

namespace cameleer::server {

void add_role_routes(web::Router& router, RoleService& roles);

}  // namespace cameleer::server
