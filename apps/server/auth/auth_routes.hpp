#pragma once
#include <cameleer/web/router.hpp>

#include "server/auth/auth_service.hpp"
#include "server/auth/authorizer.hpp"

namespace cameleer::server {

struct AuthRouteSettings {
  std::string version;              ///< what `capabilities` tells
  std::string base_path = "/";      ///< Path of the session cookie
  bool local_login = true;          ///< false: no sign-in with a password, no token of ours for people: 404
  std::function<bool()> oidc = {};  ///< whether people can sign in at an OpenID provider now; empty: never
};

void add_auth_routes(web::Router& router, AuthService& auth, OriginRule origins, AuthRouteSettings settings);

}  // namespace cameleer::server
