#pragma once
#include <cameleer/web/router.hpp>
#include <string>

namespace cameleer::server {

/// docs/access.md: every route of the API and who may pass it, from the routes' own declarations. A test tries each
/// cell on a running server.
std::string access_as_markdown(const web::Router& router);

}  // namespace cameleer::server
