#pragma once
#include <cameleer/core/embedded.hpp>
#include <cameleer/web/router.hpp>
#include <span>
#include <string>

namespace cameleer::server {

/// Serves the single-page application that the build embedded: `assets/…` (hashed names, cached for a year) and
/// `index.html` for every other path outside `/api`, `/health` and `/metrics`. All public: the page itself holds no
/// data. The content security policy allows this origin only.
void add_asset_routes(web::Router& router, std::span<const embedded::File> files, const std::string& base_path);

/// `/api/v1/openapi.json`.
void add_openapi_route(web::Router& router, std::string_view document);

}  // namespace cameleer::server
