#pragma once
#include <cameleer/web/message.hpp>

#include "server/audit/audit_store.hpp"

namespace cameleer::server {

/// What a query string asks of the audit log.
struct AuditQuery {
  AuditFilter filter;
  std::size_t limit = 50;
  std::optional<std::int64_t> before;  ///< `cursor`
  bool csv = false;                    ///< `format`
};
enum class AuditQueryKind : std::uint8_t { page, file };
/// Unknown and repeated parameters are refused. A page takes `limit` and `cursor`, a file takes `format`.
Expected<AuditQuery> read_audit_query(const web::Request& request, AuditQueryKind kind);

}  // namespace cameleer::server
