#pragma once
#include <cameleer/web/router.hpp>

#include "server/audit/audit_ledger.hpp"

namespace cameleer::server {

void add_audit_routes(web::Router& router, AuditLedger& ledger);

}  // namespace cameleer::server
