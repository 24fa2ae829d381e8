#include "server/rollups/minute_ranges.hpp"

#include <algorithm>

namespace cameleer::server {
namespace {

constexpr std::chrono::minutes kMinute{1};

}  // namespace

Instant minute_of(Instant instant) {
  return std::chrono::floor<std::chrono::minutes>(instant);
}

std::vector<MinuteRange> ranges_over(std::span<const Instant> minutes, std::chrono::minutes gap,
                                     std::chrono::minutes longest) {
  std::vector<MinuteRange> ranges;
  for (const auto minute : minutes) {
    if (!ranges.empty() && minute <= ranges.back().to + gap && minute + kMinute <= ranges.back().from + longest) {
      ranges.back().to = minute + kMinute;
    } else {
      ranges.push_back({minute, minute + kMinute});
    }
  }
  return ranges;
}

void append_minute(std::vector<MinuteRange>& ranges, Instant minute) {
  if (!ranges.empty() && ranges.back().to == minute) {
    ranges.back().to = minute + kMinute;
  } else {
    ranges.push_back({minute, minute + kMinute});
  }
}

std::vector<MinuteRange> at_most(std::vector<MinuteRange> ranges, std::size_t most) {
  if (ranges.size() <= most) return ranges;
  std::vector<std::size_t> gaps(ranges.size() - 1);  // gap n is before range n + 1
  for (std::size_t i = 0; i < gaps.size(); ++i) gaps[i] = i;
  const auto width = [&ranges](std::size_t gap) { return ranges[gap + 1].from - ranges[gap].to; };
  // The widest stay; equal ones by their place, so that the answer is one.
  const auto kept = static_cast<std::ptrdiff_t>(most - 1);
  std::nth_element(gaps.begin(), gaps.begin() + kept, gaps.end(), [&width](std::size_t left, std::size_t right) {
    return width(left) != width(right) ? width(left) > width(right) : left < right;
  });
  gaps.resize(most - 1);
  std::sort(gaps.begin(), gaps.end());
  std::vector<MinuteRange> joined;
  auto from = ranges.front().from;
  for (const auto gap : gaps) {
    joined.push_back({from, ranges[gap].to});
    from = ranges[gap + 1].from;
  }
  joined.push_back({from, ranges.back().to});
  return joined;
}

std::vector<MinuteRange> outside(std::span<const MinuteRange> ranges, MinuteRange whole) {
  std::vector<MinuteRange> rest;
  auto from = whole.from;
  for (const auto& range : ranges) {
    if (from < range.from) rest.push_back({from, range.from});
    from = range.to;
  }
  if (from < whole.to) rest.push_back({from, whole.to});
  return rest;
}

}  // namespace cameleer::server
