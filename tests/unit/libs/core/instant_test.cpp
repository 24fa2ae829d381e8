#include <cameleer/core/instant.hpp>
#include <catch2/catch.hpp>

using namespace cameleer;

TEST_CASE("instants are read strictly") {
  struct Row {
    const char* text;
    std::optional<std::int64_t> milliseconds;
  };
  const Row rows[] = {
      {"1970-01-01T00:00:00Z", 0},
      {"2026-11-22T01:02:03Z", 1795309323000},
      {"2026-11-22T01:02:03.4Z", 1795309323400},
      {"2026-11-22T01:02:03.456Z", 1795309323456},
      {"2026-11-22T01:02:03.456999999Z", 1795309323456},
      {"2026-11-22T03:02:03.456+02:00", 1795309323456},
      {"2026-11-21T20:32:03.456-04:30", 1795309323456},
      {"2024-02-29T00:00:00Z", 1709164800000},
      {"2025-02-29T00:00:00Z", {}},
      {"2026-13-01T00:00:00Z", {}},
      {"2026-00-01T00:00:00Z", {}},
      {"2026-11-22T24:00:00Z", {}},
      {"2026-11-22T23:60:00Z", {}},
      {"2026-11-22T23:59:60Z", {}},
      {"2026-11-22T01:02:03", {}},
      {"2026-11-22 01:02:03Z", {}},
      {"2026-11-22T01:02:03.Z", {}},
      {"2026-11-22T01:02:03.1234567890Z", {}},
      {"2026-11-22T01:02:03+2:00", {}},
      {"2026-11-22T01:02:03+24:00", {}},
      {"2026-11-22T01:02:03Zx", {}},
      {"1969-12-31T23:59:59Z", {}},
      {"1970-01-01T00:30:00+01:00", {}},
      {"2262-01-01T00:00:00Z", {}},
      {"", {}},
      {"2026", {}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto instant = parse_instant(row.text);
    REQUIRE(instant.has_value() == row.milliseconds.has_value());
    if (instant) CHECK(milliseconds_of(*instant) == *row.milliseconds);
  }
}

TEST_CASE("instants are written with milliseconds and read back") {
  CHECK(format_instant(instant_of(0)) == "1970-01-01T00:00:00.000Z");
  for (const std::int64_t value : {0LL, 1LL, 999LL, 1795309323456LL, 9214646399999LL}) {
    CHECK(parse_instant(format_instant(instant_of(value))) == instant_of(value));
  }
}
