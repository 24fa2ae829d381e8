#pragma once
#include <cameleer/web/router.hpp>

#include "server/claim_mappings/claim_mapping_service.hpp"

namespace cameleer::server {

void add_claim_mapping_routes(web::Router& router, ClaimMappingService& mappings);

}  // namespace cameleer::server
