#pragma once
#include <cameleer/web/router.hpp>

#include "server/users/group_service.hpp"

namespace cameleer::server {

void add_group_routes(web::Router& router, GroupService& groups);

}  // namespace cameleer::server
