#pragma once
#include <cameleer/core/instant.hpp>
#include <span>
#include <vector>

namespace cameleer::server {

/// Whole minutes, `from` inclusive, `to` exclusive.
struct MinuteRange {
  Instant from, to;
  friend bool operator==(const MinuteRange&, const MinuteRange&) = default;
};

/// The beginning of the minute.
Instant minute_of(Instant instant);

/// Ranges over these minutes, which ascend: one goes on over gaps of up to `gap` minutes, and none is longer than
/// `longest`.
std::vector<MinuteRange> ranges_over(std::span<const Instant> minutes, std::chrono::minutes gap,
                                     std::chrono::minutes longest);

/// Adds a minute that comes after the others.
void append_minute(std::vector<MinuteRange>& ranges, Instant minute);

/// At most `most` ranges (one at least) over these, which ascend: across the smallest gaps they become one.
std::vector<MinuteRange> at_most(std::vector<MinuteRange> ranges, std::size_t most);

/// What of `whole` none of `ranges` has; they ascend and lie within it.
std::vector<MinuteRange> outside(std::span<const MinuteRange> ranges, MinuteRange whole);

}  // namespace cameleer::server
