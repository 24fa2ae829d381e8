#include <cameleer/core/license_state.hpp>

#include "license_times.hpp"

namespace cameleer {
namespace {

using enum LicenseState;

constexpr auto kMostBehind = std::chrono::hours(24);
constexpr auto kNext = std::chrono::milliseconds(1);

EffectiveLimits effective(const LicenseInfo* license) {
  EffectiveLimits limits;
  for (const auto limit : license_limits()) {
    const auto index = static_cast<std::size_t>(limit);
    const auto licensed = license == nullptr ? std::nullopt : license->limits[limit];
    limits.values[index] = licensed.value_or(tier_limit(LicenseTier::none, limit));
    limits.licensed[index] = licensed.has_value();
  }
  return limits;
}

LicenseStanding refused(LicenseState state, const LicenseRejection& rejection) {
  LicenseStanding standing{.state = state, .rejection = rejection, .limits = effective(nullptr)};
  if (rejection.reason == LicenseReason::NOT_YET_VALID && rejection.license) {
    standing.changes_at = rejection.license->issued_at - license_clock_tolerance;
  }
  if (state == EXPIRED) {
    standing.license = rejection.license;
    standing.days_remaining = 0;
  }
  return standing;
}

LicenseStanding held(const LicenseInfo& license, Instant now) {
  const bool active = now <= license.expires_at;
  LicenseStanding standing{
      .state = active ? ACTIVE : GRACE, .license = license, .limits = effective(&license), .days_remaining = 0};
  standing.changes_at = (active ? license.expires_at : license.grace_ends_at()) + kNext;
  if (active) standing.days_remaining = std::chrono::floor<std::chrono::days>(license.expires_at - now).count();
  return standing;
}

}  // namespace

std::string_view name_of(LicenseState state) {
  constexpr std::array<std::string_view, 5> names{"ABSENT", "ACTIVE", "GRACE", "EXPIRED", "INVALID"};
  return names[static_cast<std::size_t>(state)];
}

LicenseStanding standing_of(const std::optional<LicenseVerdict<LicenseInfo>>& verdict, Instant now) {
  if (!verdict) return {.state = ABSENT, .limits = effective(nullptr)};
  if (!*verdict) {
    return refused(verdict->error().reason == LicenseReason::EXPIRED ? EXPIRED : INVALID, verdict->error());
  }
  const auto& license = **verdict;
  if (now > license.grace_ends_at()) return refused(EXPIRED, expired(license));
  return held(license, now);
}

bool clock_skewed(Instant now, Instant highest_seen) {
  return now < highest_seen - kMostBehind;
}

}  // namespace cameleer
