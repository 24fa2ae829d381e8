#include "server/environments/key_uses.hpp"

#include <catch2/catch.hpp>

using namespace cameleer;
using namespace std::chrono_literals;
using server::KeyUses;

namespace {

const Instant kStart = instant_of(1'800'000'000'000);
using Due = std::vector<std::pair<std::string, Instant>>;

}  // namespace

TEST_CASE("a key's use is told once a minute, with the latest time") {
  KeyUses uses;
  CHECK(uses.take_due(kStart).empty());
  uses.note("a", kStart);
  CHECK(uses.take_due(kStart) == Due{{"a", kStart}});
  uses.note("a", kStart + 1s);
  uses.note("a", kStart + 59s);
  CHECK(uses.take_due(kStart + 59s).empty());
  CHECK(uses.take_due(kStart + 60s) == Due{{"a", kStart + 59s}});
  CHECK(uses.take_due(kStart + 120s).empty());
  CHECK(uses.take_due(kStart + 300s).empty());
  uses.note("a", kStart + 301s);
  CHECK(uses.take_due(kStart + 301s) == Due{{"a", kStart + 301s}});
}

TEST_CASE("what could not be written is told again") {
  KeyUses uses;
  uses.note("a", kStart);
  uses.put_back(uses.take_due(kStart));
  CHECK(uses.take_due(kStart + 1s) == Due{{"a", kStart}});
}

TEST_CASE("keys beyond the bound wait until others are forgotten") {
  KeyUses uses(1);
  uses.note("a", kStart);
  uses.note("b", kStart);
  CHECK(uses.take_due(kStart) == Due{{"a", kStart}});
  CHECK(uses.take_due(kStart + 60s).empty());
  uses.note("b", kStart + 61s);
  CHECK(uses.take_due(kStart + 61s) == Due{{"b", kStart + 61s}});
}
