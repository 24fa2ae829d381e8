#include "server/ingest/route_catalog.hpp"

#include <catch2/catch.hpp>

using namespace cameleer;
using namespace cameleer::server;
using std::chrono::seconds;

namespace {

const auto kNow = instant_of(1'795'309'323'456);

RouteSightings seen(const std::string& route, Instant first, Instant last) {
  RouteSightings sightings;
  sightings.note("orders", route, first, last);
  return sightings;
}

}  // namespace

TEST_CASE("a request's sightings of one route are one, from the first to the last") {
  auto sightings = seen("r1", kNow, kNow);
  sightings.note("orders", "r1", kNow - seconds(5), kNow - seconds(5));
  sightings.note("orders", "r2", kNow, kNow);
  sightings.note("", "r3", kNow, kNow);
  REQUIRE(sightings.routes().size() == 2);
  CHECK(sightings.routes().at({"orders", "r1"}).first == kNow - seconds(5));
  CHECK(sightings.routes().at({"orders", "r1"}).last == kNow);
}

TEST_CASE("a request speaks of a bounded number of routes") {
  RouteSightings sightings;
  for (std::size_t i = 0; i < RouteSightings::max_routes + 5; ++i) {
    sightings.note("orders", std::to_string(i), kNow, kNow);
  }
  CHECK(sightings.routes().size() == RouteSightings::max_routes);
}

TEST_CASE("a route is written once a minute") {
  RouteCatalog catalog;
  CHECK_FALSE(catalog.take_due("default", seen("r1", kNow, kNow), kNow).empty());
  CHECK(catalog.take_due("default", seen("r1", kNow, kNow), kNow + seconds(59)).empty());
  CHECK_FALSE(catalog.take_due("default", seen("r1", kNow, kNow), kNow + seconds(60)).empty());
  CHECK_FALSE(catalog.take_due("default", seen("r2", kNow, kNow), kNow).empty());
  CHECK_FALSE(catalog.take_due("other", seen("r1", kNow, kNow), kNow).empty());
}

TEST_CASE("a route that was seen earlier than known is written at once") {
  RouteCatalog catalog;
  catalog.take_due("default", seen("r1", kNow, kNow), kNow);
  CHECK_FALSE(catalog.take_due("default", seen("r1", kNow - seconds(1), kNow), kNow).empty());
  CHECK(catalog.take_due("default", seen("r1", kNow - seconds(1), kNow), kNow).empty());
}

TEST_CASE("a route whose row was not stored is due again") {
  RouteCatalog catalog;
  const auto taken = catalog.take_due("default", seen("r1", kNow, kNow), kNow);
  catalog.forget("default", taken);
  CHECK_FALSE(catalog.take_due("default", seen("r1", kNow, kNow), kNow).empty());
}

TEST_CASE("a full catalogue forgets routes that may be written again, and writes others more often") {
  RouteCatalog catalog(2);
  catalog.take_due("default", seen("r1", kNow, kNow), kNow);
  catalog.take_due("default", seen("r2", kNow, kNow), kNow);
  CHECK_FALSE(catalog.take_due("default", seen("r3", kNow, kNow), kNow).empty());
  CHECK_FALSE(catalog.take_due("default", seen("r3", kNow, kNow), kNow).empty());
  CHECK(catalog.take_due("default", seen("r1", kNow, kNow), kNow).empty());
  const auto later = kNow + seconds(61);
  CHECK_FALSE(catalog.take_due("default", seen("r3", kNow, kNow), later).empty());
  CHECK(catalog.take_due("default", seen("r3", kNow, kNow), later).empty());
}
