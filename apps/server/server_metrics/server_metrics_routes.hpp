#pragma once
#include <cameleer/web/router.hpp>

#include "server/server_metrics/server_metrics_service.hpp"

namespace cameleer::server {

/// `GET /api/v1/admin/server-metrics` (what there is) and `…/query` (what it was).
void add_server_metrics_routes(web::Router& router, ServerMetricsService& service);

}  // namespace cameleer::server
