#pragma once
#include <array>
#include <cameleer/core/license.hpp>
#include <optional>
#include <string>
#include <vector>

#include "license-minter/outcome.hpp"

namespace cameleer::license_minter {

/// What the flags say about a licence, as typed.
struct LicenseRequest {
  std::optional<std::string> tenant = {}, label = {}, expires = {}, grace_days = {}, tier = {}, key_id = {};
  std::vector<std::string> features = {};
  std::array<std::optional<std::string>, license_limit_count> limits = {};
};

/// `--max-apps` for max_apps.
std::string flag_of(LicenseLimit limit);

/// The licence that is asked for, issued now, with a licence id of its own. The error is about usage.
Outcome<LicenseInfo> license_of(const LicenseRequest& request, Instant now, const Random& random);

/// A date means its last second in UTC; an instant with an offset means itself.
std::optional<Instant> parse_expiry(std::string_view text);

/// A whole number in decimal digits, without a sign.
std::optional<std::int64_t> parse_whole(std::string_view text);

}  // namespace cameleer::license_minter
