#include "agent-sim/pacer.hpp"

#include <catch2/catch.hpp>

using namespace cameleer::sim;
using namespace std::chrono_literals;

TEST_CASE("executions go out at the rate, whoever asks") {
  const Pacer::Time start{};
  Pacer pacer(1'000, start);
  CHECK(pacer.take(100, start) == start);
  CHECK(pacer.take(100, start) == start + 100ms);
  CHECK(pacer.take(50, start + 10ms) == start + 200ms);
  CHECK(pacer.take(1, start + 20ms) == start + 250ms);
}

TEST_CASE("a late sender catches up, but with one second of work at most") {
  const Pacer::Time start{};
  Pacer pacer(1'000, start);
  CHECK(pacer.take(100, start + 500ms) == start);
  CHECK(pacer.take(100, start + 500ms) == start + 100ms);
  CHECK(pacer.take(100, start + 60s) == start + 59s);
}

TEST_CASE("without a rate nobody waits") {
  const Pacer::Time start{};
  Pacer pacer(0, start);
  for (int i = 0; i < 3; ++i) CHECK(pacer.take(1'000'000, start + 5s) == start + 5s);
}
