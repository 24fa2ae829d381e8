#include <catch2/catch.hpp>

#include "services_on_loop.hpp"

using namespace cameleer;
using namespace std::chrono_literals;
using test::ServicesOnLoop;

namespace {

std::string owner(ServicesOnLoop& services, const std::string& secret) {
  const auto found = services.run(services.environments->owner_of(secret));
  REQUIRE(found);
  return *found ? (*found)->environment : "nobody";
}

}  // namespace

TEST_CASE("the first start makes the environment default and one key, once") {
  ServicesOnLoop services;
  const auto first = services.run(services.environments->ensure_first());
  REQUIRE(first);
  REQUIRE(*first);
  CHECK((*first)->starts_with("cmk_"));
  CHECK(owner(services, **first) == "default");
  CHECK(services.cell("select key_prefix from api_keys") == (*first)->substr(0, 12));
  CHECK(services.cell("select key_hash from api_keys") == identity::sha256_hex(**first));
  const auto second = services.run(services.environments->ensure_first());
  REQUIRE(second);
  CHECK_FALSE(*second);
  CHECK(services.cell("select count(*) from environments") == "1");
  const auto all = services.run(services.environments->list());
  REQUIRE(all);
  CHECK(all->front().slug == "default");
  CHECK(services.run(services.environments->find("default"))->display_name == "Default");
  CHECK(services.run(services.environments->find("nowhere")).error().code == ErrorCode::environment_not_found);
  CHECK(services.run(services.environments->find(std::string("a\0b", 3))).error().code != ErrorCode::internal);
}

TEST_CASE("a key counts until it is revoked or its grace is over") {
  ServicesOnLoop services;
  const auto secret = services.run(services.environments->ensure_first()).value().value();
  const auto id = services.cell("select id from api_keys");
  const auto counts = [&] { return services.run(services.environments->key_counts(id)).value(); };
  CHECK(counts());
  services.cell("update api_keys set status = 'ROTATED', grace_until = '" + format_instant(services.now + 1h) + "'");
  services.now += 1h - 1ms;
  CHECK(counts());
  CHECK(owner(services, secret) == "default");
  services.now += 1ms;
  CHECK_FALSE(counts());
  CHECK(owner(services, secret) == "nobody");
  services.cell("update api_keys set status = 'ACTIVE'");
  services.now += 5s;
  CHECK(counts());
  services.cell("update api_keys set status = 'REVOKED'");
  services.now += 5s;
  CHECK_FALSE(counts());
  services.cell("delete from api_keys");
  services.now += 5s;
  CHECK_FALSE(counts());
}

TEST_CASE("bootstrap tokens stand for their environment, near misses for nobody") {
  ServicesOnLoop services;
  CHECK(owner(services, "bootstrap-secret") == "default");
  CHECK(owner(services, "older") == "default");
  for (const std::string secret : {"", "bootstrap-secre", "bootstrap-secret ", "cmk_", "cmk_short"}) {
    CAPTURE(secret);
    CHECK(owner(services, secret) == "nobody");
  }
  CHECK_FALSE(services.run(services.environments->key_counts("bootstrap")).value());
  REQUIRE(services.run(services.environments->ensure_first()));
  const auto id = services.cell("select id from environments");
  CHECK(services.run(services.environments->key_counts("bootstrap:" + id)).value());
  CHECK_FALSE(services.run(services.environments->key_counts("no uuid")).value());
}
