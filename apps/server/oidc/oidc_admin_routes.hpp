#pragma once
#include <cameleer/web/router.hpp>

#include "server/oidc/oidc_configuration_service.hpp"

namespace cameleer::server {

/// The configuration of the provider, and a trial of it.
void add_oidc_admin_routes(web::Router& router, OidcConfigurationService& configuration);

}  // namespace cameleer::server
