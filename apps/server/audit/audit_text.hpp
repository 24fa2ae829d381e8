#pragma once
#include <string>

#include "server/audit/audit_store.hpp"

namespace cameleer::server {

/// A row as a line of NDJSON, with `position`, `previousHash` and `hash` when it is sealed. `detail` is as the database
/// prints it, for the hash covers it so.
std::string ndjson_line(const SealedRow& row);
/// The last line: how many rows there were, and the signed end of the chain when a row was sealed.
std::string ndjson_end(std::int64_t rows, std::int64_t unsealed, const std::optional<AuditHead>& head);
std::string head_as_json(const AuditHead& head, std::string_view public_key);

/// RFC 4180. A cell that a spreadsheet would take for a formula begins with an apostrophe.
std::string csv_header();
std::string csv_line(const SealedRow& row);

}  // namespace cameleer::server
