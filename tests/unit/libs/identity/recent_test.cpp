#include <cameleer/identity/recent.hpp>
#include <catch2/catch.hpp>

using namespace cameleer;
using namespace std::chrono_literals;

TEST_CASE("a recent value is forgotten at its age, by number, and when the clock jumps back") {
  const Instant start = instant_of(1'800'000'000'000);
  identity::Recent<int> recent(2, 5s);
  recent.put("a", 1, start);
  REQUIRE(recent.find("a", start + 4'999ms));
  CHECK(*recent.find("a", start + 4'999ms) == 1);
  CHECK_FALSE(recent.find("a", start + 5s));
  CHECK(recent.size() == 0);

  recent.put("a", 1, start);
  recent.put("b", 2, start);
  CHECK(recent.find("a", start));
  recent.put("c", 3, start);
  CHECK(recent.size() == 2);
  CHECK_FALSE(recent.find("b", start));
  CHECK(*recent.find("a", start) == 1);
  CHECK_FALSE(recent.find("a", start - 1ms));

  recent.put("c", 4, start);
  CHECK(*recent.find("c", start) == 4);
  recent.erase("c");
  recent.erase("never there");
  CHECK_FALSE(recent.find("c", start));
}

TEST_CASE("a limit below the life hides a value and keeps it") {
  const Instant start = instant_of(1'800'000'000'000);
  identity::Recent<int> recent(2, 1h);
  recent.put("a", 1, start);
  CHECK(recent.find("a", start + 4'999ms, 5s));
  CHECK_FALSE(recent.find("a", start + 5s, 5s));
  CHECK(recent.find("a", start + 5s, 1h));
  CHECK_FALSE(recent.find("a", start + 1h, 2h));
}
