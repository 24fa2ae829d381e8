#pragma once
#include <cameleer/web/router.hpp>

#include "server/auth/auth_service.hpp"
#include "server/auth/authorizer.hpp"

namespace cameleer::server {

struct AuthRouteSettings {
  std::string version;          ///< what `capabilities` tells
  std::string base_path = "/";  ///< Path of the session cookie
};

void add_auth_routes(web::Router& router, AuthService& auth, OriginRule origins, AuthRouteSettings settings);

}  // namespace cameleer::server
