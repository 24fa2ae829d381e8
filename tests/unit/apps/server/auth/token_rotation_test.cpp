#include <catch2/catch.hpp>

#include "services_on_loop.hpp"

using namespace cameleer;
using namespace std::chrono_literals;
using test::kPassword;
using test::member;
using test::ServicesOnLoop;

namespace {

struct Pair {
  std::string access, refresh;
};

Pair sign_in(ServicesOnLoop& services) {
  const auto response =
      services.post("/api/v1/auth/token", fmt::format(R"({{"username":"admin","password":"{}"}})", kPassword));
  REQUIRE(response.status == 200);
  CHECK(member(response, "tokenType") == "Bearer");
  CHECK(member(response, "expiresInSeconds") == "3600");
  return {member(response, "accessToken"), member(response, "refreshToken")};
}

web::Response refresh(ServicesOnLoop& services, const std::string& token) {
  return services.post("/api/v1/auth/refresh", R"({"refreshToken":")" + token + "\"}");
}

int me(ServicesOnLoop& services, const std::string& access) {
  return services.get("/api/v1/auth/me", access).status;
}

}  // namespace

TEST_CASE("a refresh token is spent once, gives the same successor for 30 s, and ends its family after that") {
  ServicesOnLoop services;
  services.make_admin();
  const auto first = sign_in(services);
  CHECK(me(services, first.access) == 200);
  services.now += 10min;
  const auto second = refresh(services, first.refresh);
  REQUIRE(second.status == 200);
  CHECK(member(second, "refreshToken") != first.refresh);
  services.now += 29'999ms;
  const auto again = refresh(services, first.refresh);
  REQUIRE(again.status == 200);
  CHECK(member(again, "refreshToken") == member(second, "refreshToken"));
  CHECK(member(again, "accessToken") == member(second, "accessToken"));
  CHECK(member(again, "expiresInSeconds") == "3571");
  services.now += 1ms;
  const auto late = refresh(services, first.refresh);
  CHECK(late.status == 401);
  CHECK(member(late, "code") == "invalid_token");
  CHECK(refresh(services, member(second, "refreshToken")).status == 401);
  CHECK(me(services, member(second, "accessToken")) == 401);
  CHECK(me(services, sign_in(services).access) == 200);
}

TEST_CASE("two refreshes at once get one and the same successor") {
  ServicesOnLoop services;
  services.make_admin();
  const auto first = sign_in(services);
  std::vector<Expected<server::TokenPair>> results;
  for (int i = 0; i < 8; ++i) {
    boost::asio::co_spawn(
        services.io, services.auth->refresh(first.refresh),
        [&](std::exception_ptr, Expected<server::TokenPair> pair) { results.push_back(std::move(pair)); });
  }
  const auto limit = std::chrono::steady_clock::now() + 1min;
  services.io.restart();
  while (results.size() < 8 && std::chrono::steady_clock::now() < limit) services.io.run_one_for(1s);
  REQUIRE(results.size() == 8);
  for (const auto& result : results) {
    REQUIRE(result);
    CHECK(result->refresh == results.front()->refresh);
  }
  CHECK(services.cell("select count(*) from refresh_tokens") == "2");
}

TEST_CASE("tokens end at their time, with a logout, and with the revocation of the user") {
  ServicesOnLoop services;
  services.make_admin();
  const auto pair = sign_in(services);
  services.now += 1h - 1ms;
  CHECK(me(services, pair.access) == 200);
  services.now += 1ms;
  const auto expired = services.get("/api/v1/auth/me", pair.access);
  CHECK(expired.status == 401);
  CHECK(member(expired, "detail") == "The token has expired.");
  services.now += 7 * 24h - 1h - 1ms;
  const auto renewed = refresh(services, pair.refresh);
  REQUIRE(renewed.status == 200);
  services.now += 7 * 24h;
  CHECK(refresh(services, member(renewed, "refreshToken")).status == 401);
  CHECK(services.run(services.auth->clean_up()));
  CHECK(services.cell("select count(*) from refresh_tokens") == "0");

  const auto left = sign_in(services);
  CHECK(me(services, left.access) == 200);
  CHECK(services.post("/api/v1/auth/logout", "", left.access).status == 204);
  CHECK(me(services, left.access) == 401);
  CHECK(refresh(services, left.refresh).status == 401);

  const auto revoked = sign_in(services);
  services.now += 10s;
  services.cell("update users set token_revoked_before = '" + format_instant(services.now) + "'");
  CHECK(me(services, revoked.access) == 401);
  CHECK(refresh(services, revoked.refresh).status == 401);
}

TEST_CASE("tokens work on the routes of their kind only") {
  ServicesOnLoop services;
  services.make_admin();
  const auto pair = sign_in(services);
  CHECK(me(services, pair.refresh) == 401);
  CHECK(refresh(services, pair.access).status == 401);
  CHECK(refresh(services, "x").status == 401);
  services.restart();
  CHECK(me(services, pair.access) == 200);
}
