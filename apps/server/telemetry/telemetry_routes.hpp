#pragma once
#include <cameleer/web/router.hpp>

#include "server/telemetry/health.hpp"
#include "server/telemetry/metrics.hpp"

namespace cameleer::server {

/// `/health/live`, `/health/ready`, `/metrics`: public, for probes and scrapers.
void add_telemetry_routes(web::Router& router, const Health& health, Metrics& metrics);

}  // namespace cameleer::server
