#include "server/auth/key_rotation.hpp"

#include <fmt/format.h>

#include <cameleer/identity/secret_box.hpp>
#include <catch2/catch.hpp>

#include "services_on_loop.hpp"

using namespace cameleer;
using test::ServicesOnLoop;

namespace {

constexpr server::SealedColumn kColumns[] = {
    {.name = "secrets of the test",
     .select = "select id, sealed from test_secrets where sealed like $1 and id > $2 order by id limit 500",
     .update = "update test_secrets set sealed = $3 where id = $1 and sealed = $2",
     .place_of = [](std::string_view id) { return "test:" + std::string(id); }},
};

identity::MasterKey root(char fill) {
  return identity::MasterKey::from_bytes(std::string(32, fill));
}

struct Rotation {
  ServicesOnLoop services;

  Rotation() { services.cell("create table test_secrets (id text primary key, sealed text not null)"); }

  Expected<server::KeyRotation::Outcome> start(const identity::Keys& keys) {
    server::KeyRotation rotation(*services.pool, *services.audit, keys, identity::system_random(), kColumns);
    return services.run(rotation.settle());
  }
  void keep(const identity::Keys& keys, const std::string& id, const std::string& secret) {
    const auto sealed = identity::seal(keys, secret, "test:" + id, identity::system_random());
    services.cell(fmt::format("insert into test_secrets values ('{}', '{}')", id, sealed));
  }
  std::optional<std::string> read(const identity::Keys& keys, const std::string& id) {
    return identity::open(keys, services.cell("select sealed from test_secrets where id = '" + id + "'"), "test:" + id);
  }
  std::string rotations() { return services.cell("select count(*) from audit_log where action = 'rotate_master_key'"); }
};

}  // namespace

TEST_CASE("a database keeps to its master key, except through a rotation") {
  Rotation rotation;
  const auto a = root('a'), b = root('b');
  CHECK(rotation.start(identity::Keys(a)));
  CHECK(rotation.start(identity::Keys(a)));
  auto foreign = rotation.start(identity::Keys(b));
  REQUIRE_FALSE(foreign);
  CHECK(foreign.error().code == ErrorCode::bad_configuration);
  CHECK(foreign.error().member == "cameleer.server.security.masterkey");
  CHECK_FALSE(rotation.start(identity::Keys(b, root('c'))));
  CHECK(rotation.rotations() == "0");

  auto rotated = rotation.start(identity::Keys(b, a));
  REQUIRE(rotated);
  CHECK(rotated->rotated);
  CHECK(rotation.rotations() == "1");
  auto again = rotation.start(identity::Keys(b, a));
  REQUIRE(again);
  CHECK_FALSE(again->rotated);
  CHECK(rotation.start(identity::Keys(b)));
  CHECK(rotation.rotations() == "1");
  CHECK_FALSE(rotation.start(identity::Keys(a)));
}

TEST_CASE("a rotation seals every secret anew, in its place, and tells which do not open") {
  Rotation rotation;
  const identity::Keys old_keys(root('a')), both(root('b'), root('a')), new_keys(root('b'));
  REQUIRE(rotation.start(old_keys));
  // More than one page of rows.
  for (int i = 0; i < 1'100; ++i) rotation.keep(old_keys, fmt::format("{:04}", i), fmt::format("secret {}", i));
  rotation.keep(new_keys, "new", "of the new key already");
  rotation.services.cell("update test_secrets set sealed = overlay(sealed placing 'A' from 40) where id = '0007'");
  rotation.services.cell("update test_secrets set sealed = overlay(sealed placing 'B' from 41) where id = '0007'");

  auto outcome = rotation.start(both);
  REQUIRE(outcome);
  CHECK(outcome->resealed == 1'099);
  CHECK(outcome->unreadable == 1);
  CHECK(rotation.read(new_keys, "0000") == "secret 0");
  CHECK(rotation.read(new_keys, "1099") == "secret 1099");
  CHECK(rotation.read(new_keys, "new") == "of the new key already");
  CHECK_FALSE(rotation.read(old_keys, "0000"));

  auto again = rotation.start(both);
  REQUIRE(again);
  CHECK(again->resealed == 0);
  // What an instance of before the rotation left behind is found by the next start.
  rotation.keep(old_keys, "late", "s");
  CHECK(rotation.start(both)->resealed == 1);
  CHECK(rotation.read(new_keys, "late") == "s");
}

TEST_CASE("a rotation that is cut short has not happened: the old key is still needed") {
  Rotation rotation;
  const identity::Keys old_keys(root('a')), both(root('b'), root('a')), new_keys(root('b'));
  REQUIRE(rotation.start(old_keys));
  rotation.keep(old_keys, "one", "s");
  rotation.services.cell(
      "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$");
  rotation.services.cell("create trigger refuse before update on test_secrets for each row execute function refuse()");
  CHECK_FALSE(rotation.start(both));
  CHECK_FALSE(rotation.start(new_keys));
  CHECK(rotation.start(old_keys));
  rotation.services.cell("drop trigger refuse on test_secrets");
  CHECK(rotation.start(both)->resealed == 1);
  CHECK(rotation.start(new_keys));
  CHECK(rotation.read(new_keys, "one") == "s");
}
