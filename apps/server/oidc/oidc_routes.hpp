#pragma once
#include <cameleer/web/router.hpp>

#include "server/oidc/oidc_login.hpp"

namespace cameleer::server {

struct OidcRouteSettings {
  std::string public_url;       ///< empty: scheme and Host of the request
  std::string base_path = "/";  ///< begins and ends with `/`
};

/// Sign-in in the browser: login, callback, and where to end the provider's session.
void add_oidc_routes(web::Router& router, OidcLogin& login, OidcRouteSettings settings);

/// Whether a browser may be sent there after the sign-in: a path of this server, below the base path.
bool is_inside(std::string_view return_to);

}  // namespace cameleer::server
