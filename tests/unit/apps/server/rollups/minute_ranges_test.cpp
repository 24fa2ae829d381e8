#include "server/rollups/minute_ranges.hpp"

#include <catch2/catch.hpp>

using namespace cameleer;
using namespace cameleer::server;
using std::chrono::minutes;

namespace {

using Ranges = std::vector<MinuteRange>;

Instant minute(int number) {
  return Instant(minutes(number));
}
MinuteRange range(int from, int to) {
  return {minute(from), minute(to)};
}
std::vector<Instant> these(std::initializer_list<int> numbers) {
  std::vector<Instant> instants;
  for (const int number : numbers) instants.push_back(minute(number));
  return instants;
}

}  // namespace

TEST_CASE("the minute of an instant is the one that it is in") {
  CHECK(minute_of(minute(7)) == minute(7));
  CHECK(minute_of(minute(8) - std::chrono::milliseconds(1)) == minute(7));
}

TEST_CASE("ranges go on over small gaps and end when they are long") {
  CHECK(ranges_over({}, minutes(2), minutes(10)).empty());
  CHECK(ranges_over(these({5}), minutes(0), minutes(1)) == Ranges{range(5, 6)});
  CHECK(ranges_over(these({1, 2, 3}), minutes(0), minutes(10)) == Ranges{range(1, 4)});
  CHECK(ranges_over(these({1, 2, 4, 7, 11}), minutes(2), minutes(60)) == Ranges{range(1, 8), range(11, 12)});
  CHECK(ranges_over(these({1, 2, 3, 4, 5}), minutes(2), minutes(2)) == Ranges{range(1, 3), range(3, 5), range(5, 6)});
}

TEST_CASE("minutes are added one by one") {
  Ranges ranges;
  for (const int number : {3, 4, 6}) append_minute(ranges, minute(number));
  CHECK(ranges == Ranges{range(3, 5), range(6, 7)});
}

TEST_CASE("too many ranges become fewer across the smallest gaps") {
  const Ranges four{range(0, 1), range(2, 3), range(10, 11), range(13, 20)};
  CHECK(at_most(four, 4) == four);
  CHECK(at_most(four, 3) == Ranges{range(0, 3), range(10, 11), range(13, 20)});
  CHECK(at_most(four, 2) == Ranges{range(0, 3), range(10, 20)});
  CHECK(at_most(four, 1) == Ranges{range(0, 20)});
  CHECK(at_most({}, 1).empty());
  CHECK(at_most({range(0, 1), range(2, 3), range(4, 5)}, 2) == Ranges{range(0, 1), range(2, 5)});
}

TEST_CASE("what no range has is the rest") {
  CHECK(outside({}, range(1, 5)) == Ranges{range(1, 5)});
  CHECK(outside(Ranges{range(1, 5)}, range(1, 5)).empty());
  CHECK(outside(Ranges{range(2, 3), range(3, 4)}, range(1, 5)) == Ranges{range(1, 2), range(4, 5)});
  CHECK(outside({}, range(5, 5)).empty());
}
