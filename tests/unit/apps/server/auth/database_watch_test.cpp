#include "server/auth/database_watch.hpp"

#include <catch2/catch.hpp>

using namespace cameleer;
using namespace std::chrono_literals;

TEST_CASE("an outage begins when the database has not been reached for the grace, and ends with the first answer") {
  Instant now = instant_of(1'800'000'000'000);
  server::DatabaseWatch watch([&] { return now; }, 60s);
  CHECK(watch.reached());
  // Nobody asked for long: that is no outage.
  now += 1h;
  CHECK_FALSE(watch.outage());
  watch.note(true);
  now += 10s;
  watch.note(false);
  CHECK_FALSE(watch.reached());
  CHECK_FALSE(watch.outage());
  now += 50s - 1ms;
  watch.note(false);
  CHECK_FALSE(watch.outage());
  now += 1ms;
  CHECK(watch.outage());
  now += 1h;
  CHECK(watch.outage());
  watch.note(true);
  CHECK(watch.reached());
  CHECK_FALSE(watch.outage());
  watch.note(false);
  CHECK_FALSE(watch.outage());
}
