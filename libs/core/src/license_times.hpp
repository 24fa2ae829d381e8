#pragma once
#include <cameleer/core/license_validation.hpp>

namespace cameleer {

/// How far ahead of this clock a vendor's may be.
inline constexpr auto license_clock_tolerance = std::chrono::minutes(5);

/// The rejection of a licence past its grace period.
LicenseRejection expired(const LicenseInfo& license);

}  // namespace cameleer
