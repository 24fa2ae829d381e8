#pragma once
#include <array>
#include <cameleer/core/license_validation.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cameleer {

enum class LicenseState : std::uint8_t {
  ABSENT,   ///< no source holds a token: the default tier, calmly
  ACTIVE,   ///< now ≤ expiresAt
  GRACE,    ///< now ≤ expiresAt + grace days: the licence's caps hold
  EXPIRED,  ///< past grace: the default tier
  INVALID,  ///< rejected: the default tier, loudly
};
std::string_view name_of(LicenseState state);

/// What holds now: one value per limit, and whether the licence or the default tier said it.
struct EffectiveLimits {
  std::array<std::int64_t, license_limit_count> values = {};
  std::array<bool, license_limit_count> licensed = {};
  std::int64_t operator[](LicenseLimit limit) const { return values[static_cast<std::size_t>(limit)]; }
  [[nodiscard]] bool is_licensed(LicenseLimit limit) const { return licensed[static_cast<std::size_t>(limit)]; }
  bool operator==(const EffectiveLimits&) const = default;
};

/// The licence of an instance at one instant: immutable, passed around as a shared_ptr<const>.
struct LicenseStanding {
  LicenseState state = LicenseState::ABSENT;
  std::optional<LicenseRejection> rejection = {};  ///< INVALID and EXPIRED: why
  std::optional<LicenseInfo> license = {};         ///< ACTIVE, GRACE, EXPIRED
  EffectiveLimits limits = {};
  /// When the state changes by itself, or may: the first instant after expiresAt, then after the end of grace; with
  /// NOT_YET_VALID the first at which it holds. To be asked then: a token is to be validated again.
  std::optional<Instant> changes_at = {};
  /// Whole days until expiresAt, rounded down, 0 after it; -1 without a licence (ABSENT, INVALID).
  std::int64_t days_remaining = -1;
};

/// What `validate_license` said (nothing: there is no token), seen at `now`, the same instant or a later one. Pure.
LicenseStanding standing_of(const std::optional<LicenseVerdict<LicenseInfo>>& verdict, Instant now);

/// "3 of 3 apps are in use. The licence expired 3 days ago, …": the sentence of a refusal and of /usage. Says what to
/// do.
std::string cap_message(const LicenseStanding& standing, LicenseLimit limit, std::int64_t current, Instant now);

/// A clock more than 24 h behind the highest instant ever seen. Rights follow `now` all the same: this is a warning.
bool clock_skewed(Instant now, Instant highest_seen);

}  // namespace cameleer
