#include "server/auth/attempt_limit.hpp"

#include <catch2/catch.hpp>

using namespace cameleer;
using namespace std::chrono_literals;

TEST_CASE("attempts are limited within their window, which counting does not prolong") {
  const Instant start = instant_of(1'800'000'000'000);
  server::AttemptLimit limit(2, 60s, 2);
  CHECK_FALSE(limit.count("a", start));
  CHECK_FALSE(limit.count("a", start + 30s));
  CHECK(limit.count("a", start + 40s) == 20s);
  CHECK(limit.count("a", start + 59'999ms) == 1ms);
  CHECK_FALSE(limit.count("a", start + 60s));

  CHECK_FALSE(limit.count("b", start));
  limit.give_back("b", start);
  CHECK_FALSE(limit.count("b", start));
  CHECK_FALSE(limit.count("b", start));
  CHECK(limit.count("b", start));
}
