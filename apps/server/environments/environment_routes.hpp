#pragma once
#include <boost/json/fwd.hpp>
#include <cameleer/web/router.hpp>

#include "server/environments/environment_service.hpp"

namespace cameleer::server {

/// Environments and their API keys.
void add_environment_routes(web::Router& router, EnvironmentService& environments);

/// Of those: the keys alone.
void add_api_key_routes(web::Router& router, EnvironmentService& environments);
/// A key as its maker sees it, once, with its secret.
boost::json::object json_of(const EnvironmentService::NewKey& key);

}  // namespace cameleer::server
