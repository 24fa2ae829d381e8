#pragma once
#include <cameleer/core/license.hpp>
#include <string>
#include <string_view>

namespace cameleer::license_minter {

/// Text of somebody else's for a terminal: control characters are shown as `\x1b`, and bytes that are no UTF-8 too.
std::string printable(std::string_view text);

/// A line per member, for people.
std::string lines_of(const LicenseInfo& license);

/// `2027-04-26T23:59:59Z`
std::string seconds_of(Instant instant);

}  // namespace cameleer::license_minter
