#include <catch2/catch.hpp>

#include "services_on_loop.hpp"

using namespace cameleer;
using test::ServicesOnLoop;

TEST_CASE("the first start makes admin once, with a random or a given password") {
  ServicesOnLoop services;
  auto first = services.run(services.auth->local_accounts().ensure_first(std::nullopt));
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
  auto second = services.run(services.auth->local_accounts().ensure_first(std::nullopt));
  REQUIRE(second);
  CHECK_FALSE(*second);
}

TEST_CASE("a first password that breaks the policy stops the start by the name of its setting") {
  ServicesOnLoop services;
  auto first = services.run(services.auth->local_accounts().ensure_first("short"));
  REQUIRE_FALSE(first);
  CHECK(first.error().code == ErrorCode::bad_configuration);
  CHECK(first.error().member == "cameleer.server.security.adminpassword");
  CHECK(services.cell("select count(*) from users") == "0");
}
