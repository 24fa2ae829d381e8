#include <fmt/format.h>

#include <cameleer/core/license_state.hpp>

#include "license_times.hpp"

namespace cameleer {
namespace {

/// What a limit counts, after a number.
constexpr std::array<std::string_view, license_limit_count> kCounted{
    "environments",
    "apps",
    "agents",
    "users",
    "outbound connections",
    "alert rules",
    "thousandths of a CPU core",
    "MiB of memory",
    "replicas",
    "days of execution retention",
    "days of log retention",
    "days of metric retention",
    "JARs kept per environment",
};

std::string days(std::int64_t count) {
  return count == 1 ? "1 day" : fmt::format("{} days", count);
}

std::string day_of(Instant instant) {
  return format_instant(instant).substr(0, std::string_view("2027-04-26").size());
}

std::int64_t days_between(Instant earlier, Instant later) {
  return std::chrono::floor<std::chrono::days>(later - earlier).count();
}

std::string ago(Instant expired_at, Instant now) {
  const auto count = days_between(expired_at, now);
  return count <= 0 ? "less than a day ago" : fmt::format("{} ago", days(count));
}

std::string left_until(Instant end, Instant now) {
  const auto count = days_between(now, end);
  return count <= 0 ? "less than a day" : days(count);
}

std::string about(const LicenseStanding& standing, LicenseLimit limit, Instant now) {
  const auto& license = standing.license;
  switch (standing.state) {
    case LicenseState::ACTIVE:
      return fmt::format("The licence \"{}\" is valid for {} more; a licence with a higher {} raises the limit.",
                         license->label, left_until(license->expires_at, now), name_of(limit));
    case LicenseState::GRACE:
      return fmt::format("The licence \"{}\" expired {} and counts for {} more: install its renewal.", license->label,
                         ago(license->expires_at, now), left_until(license->grace_ends_at(), now));
    case LicenseState::EXPIRED:
      return fmt::format("The licence \"{}\" expired {}, so the default limits hold: install its renewal.",
                         license->label, ago(license->expires_at, now));
    case LicenseState::INVALID:
      return fmt::format("The licence is rejected ({}), so the default limits hold: install a valid one. {}",
                         name_of(standing.rejection->reason), standing.rejection->message);
    case LicenseState::ABSENT:
      break;
  }
  return "No licence is installed, so the default limits hold: install one to raise them.";
}

}  // namespace

LicenseRejection expired(const LicenseInfo& license) {
  auto message = license.grace_period_days == 0
                     ? fmt::format("The licence expired on {}.", day_of(license.expires_at))
                     : fmt::format("The licence expired on {}, and its grace period of {} is over.",
                                   day_of(license.expires_at), days(license.grace_period_days));
  return {.reason = LicenseReason::EXPIRED, .message = std::move(message), .license = license};
}

std::string cap_message(const LicenseStanding& standing, LicenseLimit limit, std::int64_t current, Instant now) {
  return fmt::format("{} of {} {} are in use. {}", current, standing.limits[limit],
                     kCounted[static_cast<std::size_t>(limit)], about(standing, limit, now));
}

}  // namespace cameleer
