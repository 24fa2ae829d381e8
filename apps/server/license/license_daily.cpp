#include "server/license/license_daily.hpp"

#include <date/tz.h>

#include <cstdlib>
#include <stdexcept>

namespace cameleer::server {
namespace {

using namespace std::chrono_literals;

constexpr auto kTimeOfDay = 3h;

const date::time_zone* zone_named(std::string_view name) {
  try {
    return date::locate_zone(name);
  } catch (const std::exception&) {
    return nullptr;
  }
}

}  // namespace

Instant next_daily(Instant now, std::string_view name) {
  const auto* zone = zone_named(name);
  const auto instant_in = [&](date::local_days day) {
    if (zone == nullptr) return Instant((day + kTimeOfDay).time_since_epoch());
    return Instant(zone->to_sys(day + kTimeOfDay, date::choose::earliest));
  };
  const auto local =
      zone == nullptr ? date::local_time<Instant::duration>(now.time_since_epoch()) : zone->to_local(now);
  const auto today = date::floor<date::days>(local);
  const auto candidate = instant_in(today);
  return candidate > now ? candidate : instant_in(today + date::days(1));
}

std::string local_zone() {
  if (const char* given = std::getenv("TZ"); given != nullptr && *given != '\0') {
    const std::string_view name = *given == ':' ? given + 1 : given;
    if (zone_named(name) != nullptr) return std::string(name);
  }
  try {
    return date::current_zone()->name();
  } catch (const std::exception&) {
    return "Etc/UTC";
  }
}

}  // namespace cameleer::server
