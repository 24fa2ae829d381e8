#pragma once
#include <cameleer/web/router.hpp>

#include "server/ingest/ingest_service.hpp"

namespace cameleer::server {

/// Bounds of the data routes: `cameleer.server.ingest.request-bytes` and what it may grow to when decompressed.
struct IngestLimits {
  std::size_t body_bytes = 16u << 20;
  std::size_t decoded_body_bytes = 64u << 20;
};

/// POST /api/v1/data/{executions,chunks,logs,metrics,events,diagrams}
void add_ingest_routes(web::Router& router, IngestService& service, IngestLimits limits = {});

}  // namespace cameleer::server
