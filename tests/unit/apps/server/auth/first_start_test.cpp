#include <boost/asio/detached.hpp>
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

TEST_CASE("a password that could not be kept is nobody's") {
  ServicesOnLoop services;
  const auto refuse = [](const std::string&) -> Expected<void> { return fail(ErrorCode::internal, "disk full"); };
  CHECK_FALSE(services.run(services.auth->local_accounts().ensure_first(std::nullopt, refuse)));
  CHECK(services.cell("select count(*) from users") == "0");
  CHECK(services.cell("select count(*) from audit_log") == "0");
  std::string kept;
  const auto keep = [&](const std::string& secret) -> Expected<void> {
    kept = secret;
    return {};
  };
  const auto first = services.run(services.auth->local_accounts().ensure_first(std::nullopt, keep));
  REQUIRE(first);
  REQUIRE(*first);
  CHECK((*first)->password == kept);
  CHECK(services.cell("select count(*) from audit_log where action = 'create_first_user'") == "1");
}

TEST_CASE("of first starts at once one makes the user, and it alone keeps a password") {
  ServicesOnLoop services;
  std::vector<std::string> kept;
  int made = 0, ended = 0;
  for (int i = 0; i < 4; ++i) {
    const auto keep = [&](const std::string& secret) -> Expected<void> {
      kept.push_back(secret);
      return {};
    };
    boost::asio::co_spawn(services.io, services.auth->local_accounts().ensure_first(std::nullopt, keep),
                          [&](std::exception_ptr, Expected<std::optional<server::FirstUser>> user) {
                            ++ended;
                            if (user && *user) ++made;
                          });
  }
  const auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  services.io.restart();
  while (ended < 4 && std::chrono::steady_clock::now() < limit) services.io.run_one_for(std::chrono::seconds(1));
  REQUIRE(ended == 4);
  CHECK(made == 1);
  REQUIRE(kept.size() == 1);
  CHECK(services.run(services.auth->login("admin", kept[0], "127.0.0.1", "test")));
}
