#include "server/license/license_daily.hpp"

#include <catch2/catch.hpp>

namespace cameleer::server {
namespace {

std::string daily(std::string_view now, std::string_view zone) {
  return format_instant(next_daily(*parse_instant(now), zone));
}

TEST_CASE("the next 03:00 is that of the zone") {
  struct Row {
    const char* what;
    const char* zone;
    const char* now;
    const char* next;
  };
  const Row rows[] = {
      {"UTC, before", "Etc/UTC", "2026-11-22T02:59:59.999Z", "2026-11-22T03:00:00.000Z"},
      {"UTC, at the very instant: the next day", "Etc/UTC", "2026-11-22T03:00:00Z", "2026-11-23T03:00:00.000Z"},
      {"a zone that nobody knows is UTC", "Nowhere/Atlantis", "2026-11-22T04:00:00Z", "2026-11-23T03:00:00.000Z"},
      {"Berlin in winter", "Europe/Berlin", "2026-11-22T01:00:00Z", "2026-11-22T02:00:00.000Z"},
      {"Berlin in summer", "Europe/Berlin", "2026-07-01T00:30:00Z", "2026-07-01T01:00:00.000Z"},
      {"Berlin, spring: 02:00 to 03:00 is left out", "Europe/Berlin", "2026-03-29T00:30:00Z",
       "2026-03-29T01:00:00.000Z"},
      {"Berlin, after spring: 23 hours later", "Europe/Berlin", "2026-03-28T02:00:00Z", "2026-03-29T01:00:00.000Z"},
      {"Berlin, autumn: 25 hours later", "Europe/Berlin", "2026-10-24T01:00:00Z", "2026-10-25T02:00:00.000Z"},
      {"Helsinki, spring: that day has no 03:00, it is taken where it was skipped", "Europe/Helsinki",
       "2026-03-29T00:30:00Z", "2026-03-29T01:00:00.000Z"},
      {"Helsinki, the day after", "Europe/Helsinki", "2026-03-29T01:00:00Z", "2026-03-30T00:00:00.000Z"},
      {"Helsinki, autumn: that day has two, the first is taken", "Europe/Helsinki", "2026-10-24T23:59:00Z",
       "2026-10-25T00:00:00.000Z"},
      {"Helsinki, autumn: and not the second", "Europe/Helsinki", "2026-10-25T00:30:00Z", "2026-10-26T01:00:00.000Z"},
      {"New York", "America/New_York", "2026-03-08T06:30:00Z", "2026-03-08T07:00:00.000Z"},
      {"half an hour off", "Asia/Kolkata", "2026-11-22T00:00:00Z", "2026-11-22T21:30:00.000Z"},
      {"Samoa left out a whole day, and with it its 03:00", "Pacific/Apia", "2011-12-30T09:00:00Z",
       "2011-12-30T10:00:00.000Z"},
  };
  for (const auto& row : rows) {
    INFO(row.what);
    CHECK(daily(row.now, row.zone) == row.next);
  }
}

TEST_CASE("a year has as many 03:00 as days, in every zone") {
  for (const auto* zone : {"Etc/UTC", "Europe/Berlin", "Europe/Helsinki", "America/New_York", "Australia/Lord_Howe"}) {
    INFO(zone);
    auto now = *parse_instant("2026-01-01T12:00:00Z");
    const auto end = *parse_instant("2027-01-01T12:00:00Z");
    int times = 0;
    for (;;) {
      const auto next = next_daily(now, zone);
      REQUIRE(next > now);
      REQUIRE(next - now <= std::chrono::hours(25));
      if (next > end) break;
      now = next;
      ++times;
    }
    CHECK(times == 365);
  }
}

TEST_CASE("this machine has a zone") {
  CHECK_FALSE(local_zone().empty());
}

}  // namespace
}  // namespace cameleer::server
