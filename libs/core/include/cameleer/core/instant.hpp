#pragma once
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace cameleer {

/// A point in time as Cameleer keeps it: UTC, milliseconds since 1970.
using Instant = std::chrono::sys_time<std::chrono::milliseconds>;

/// What time it is, passed in wherever it matters, so that tests own it.
using Clock = std::function<Instant()>;

/// Fills the bytes with randomness good enough for keys; passed in for the same reason.
using Random = std::function<void(std::span<std::byte>)>;

/// Reads ISO-8601 with an offset: `2026-11-22T01:02:03Z`, up to nine fractional digits (cut to milliseconds), `Z` or
/// `±hh:mm`. Years 1970 to 2261 (what DateTime64(3) and every client can hold). Nothing else is accepted.
std::optional<Instant> parse_instant(std::string_view text);

/// `2026-11-22T01:02:03.456Z`, always with milliseconds.
std::string format_instant(Instant instant);

inline Instant instant_of(std::int64_t milliseconds) {
  return Instant(std::chrono::milliseconds(milliseconds));
}
inline std::int64_t milliseconds_of(Instant instant) {
  return instant.time_since_epoch().count();
}

}  // namespace cameleer
