#include <catch2/catch.hpp>

#include "services_on_loop.hpp"

using namespace cameleer;
using test::ServicesOnLoop;

TEST_CASE("the first start makes admin once, with a random or a given password") {
  ServicesOnLoop services;
  auto first = services.run(services.auth->ensure_first_user(std::nullopt));
  REQUIRE(first);
  REQUIRE(*first);
  CHECK((*first)->username == "admin");
  CHECK((*first)->generated);
  CHECK((*first)->password.size() == 24);
  CHECK(services.cell("select password_hash from users").find((*first)->password) == std::string::npos);
  auto login = services.run(services.auth->login("ADMIN", (*first)->password, "127.0.0.1", "test"));
  REQUIRE(login);
  CHECK(login->user.roles == std::vector<std::string>{"ADMIN"});
  CHECK(login->user.permissions == rbac::Permissions::all());
  auto second = services.run(services.auth->ensure_first_user(std::nullopt));
  REQUIRE(second);
  CHECK_FALSE(*second);
}

TEST_CASE("a first password that breaks the policy stops the start by the name of its setting") {
  ServicesOnLoop services;
  auto first = services.run(services.auth->ensure_first_user("short"));
  REQUIRE_FALSE(first);
  CHECK(first.error().code == ErrorCode::bad_configuration);
  CHECK(first.error().member == "cameleer.server.security.adminpassword");
  CHECK(services.cell("select count(*) from users") == "0");
}

TEST_CASE("a database keeps to its master key, except through a rotation") {
  ServicesOnLoop services;
  const auto a = identity::MasterKey::from_bytes(std::string(32, 'a'));
  const auto b = identity::MasterKey::from_bytes(std::string(32, 'b'));
  CHECK(services.run(services.auth->check_master_key(identity::Keys(a))));
  CHECK(services.run(services.auth->check_master_key(identity::Keys(a))));
  auto foreign = services.run(services.auth->check_master_key(identity::Keys(b)));
  REQUIRE_FALSE(foreign);
  CHECK(foreign.error().member == "cameleer.server.security.masterkey");
  CHECK(services.run(services.auth->check_master_key(identity::Keys(b, a))));
  CHECK(services.run(services.auth->check_master_key(identity::Keys(b))));
  CHECK_FALSE(services.run(services.auth->check_master_key(identity::Keys(a))));
}
