#pragma once
#include <cameleer/core/license.hpp>
#include <string_view>

namespace cameleer::server {

/// The statement that counts what a limit caps, over all processes of the tenant; empty for what this server does not
/// have yet, of which there are 0.
std::string_view count_statement_of(LicenseLimit limit);

}  // namespace cameleer::server
