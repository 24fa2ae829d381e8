#include "server/license/license_counts.hpp"

namespace cameleer::server {

std::string_view count_statement_of(LicenseLimit limit) {
  switch (limit) {
    case LicenseLimit::max_environments:
      return "select count(*) from environments";
    case LicenseLimit::max_users:
      return "select count(*) from users";
    case LicenseLimit::max_agents:
      return "select count(*) from agents where state = 'LIVE'";
    default:
      return {};
  }
}

}  // namespace cameleer::server
