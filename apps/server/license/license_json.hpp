#pragma once
#include <boost/json/object.hpp>
#include <cameleer/web/message.hpp>

#include "server/license/license_service.hpp"

/// Licences as the REST API shows them: never the token.
namespace cameleer::server {

boost::json::object json_of(const LicenseInfo& license);
boost::json::object json_of(const LicenseView& view, LicenseTrust trust);
boost::json::object json_of(const LicensePreview& preview);
boost::json::object json_of(const LicenseKeyRing& keys);
boost::json::object json_of_usage(const LicenseStanding& standing, const LicenseCounts& counts, Instant now);

/// A problem document with more members than usual.
web::Response problem_with(const Error& error, std::string_view request_id, boost::json::object members);

}  // namespace cameleer::server
