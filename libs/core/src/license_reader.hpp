#pragma once
#include <simdjson.h>

#include <cameleer/core/license_validation.hpp>

/// JSON of licences: stricter than that of requests, for what a signature covers must have one meaning.
namespace cameleer::license_json {

inline std::unexpected<LicenseRejection> reject(LicenseReason reason, std::string message) {
  return std::unexpected(LicenseRejection{.reason = reason, .message = std::move(message)});
}

/// Without the white space around it that files and variables come with.
std::string_view trimmed(std::string_view text);

/// A JSON object of at most 8 levels, UTF-8, in which no object has a member twice. Lives as long as the parser.
LicenseVerdict<simdjson::dom::object> parse(simdjson::dom::parser& parser, std::string_view json);

LicenseVerdict<LicenseInfo> read_license(std::string_view json);
LicenseVerdict<LicenseRevocations> read_revocations(std::string_view json);

/// The `kid` of a JWT's header, when it has one; MALFORMED for a header that is not a licence's.
LicenseVerdict<std::optional<std::string>> read_jwt_header(std::string_view json);

/// ISO-8601 in UTC (`Z`), or whole seconds since 1970.
std::optional<Instant> read_instant(simdjson::dom::element value);

}  // namespace cameleer::license_json
