#include <boost/asio/detached.hpp>
#include <catch2/catch.hpp>

#include "services_on_loop.hpp"

using namespace cameleer;
using namespace std::chrono_literals;
using test::header;
using test::kPassword;
using test::member;
using test::ServicesOnLoop;

namespace {

std::string credentials(std::string_view username, std::string_view password) {
  return fmt::format(R"({{"username":"{}","password":"{}"}})", username, password);
}

web::Response login(ServicesOnLoop& services, std::string_view username, std::string_view password) {
  return services.post("/api/v1/auth/login", credentials(username, password));
}

/// `name=value` of the session cookie.
std::string cookie_in(const web::Response& response) {
  const auto cookie = header(response, "Set-Cookie");
  return cookie.substr(0, cookie.find(';'));
}

int status_of_me(ServicesOnLoop& services, const std::string& cookie) {
  return services.send(web::Method::get, "/api/v1/auth/me", {}, {{"Cookie", "a=b; " + cookie}}).status;
}

}  // namespace

TEST_CASE("a sign-in gives a session cookie that only the browser holds") {
  ServicesOnLoop services;
  services.make_admin();
  const auto response = login(services, "admin", kPassword);
  REQUIRE(response.status == 200);
  CHECK(member(response, "username") == "admin");
  CHECK(member(response, "roles") == R"(["ADMIN"])");
  const auto cookie = header(response, "Set-Cookie");
  CHECK(cookie.find("; Path=/; HttpOnly; SameSite=Strict") != std::string::npos);
  CHECK(cookie.find("Secure") == std::string::npos);
  const auto value = cookie_in(response).substr(std::string("cameleer_session=").size());
  CHECK(value.size() == 43);
  CHECK(services.cell("select session_hash from sessions") == identity::sha256_hex(value));
  CHECK(status_of_me(services, cookie_in(response)) == 200);
  CHECK(status_of_me(services, "cameleer_session=" + std::string(43, 'x')) == 401);

  const auto out = services.send(web::Method::post, "/api/v1/auth/logout", {}, {{"Cookie", cookie_in(response)}});
  CHECK(out.status == 204);
  CHECK(header(out, "Set-Cookie").find("Max-Age=0") != std::string::npos);
  CHECK(status_of_me(services, cookie_in(response)) == 401);
  CHECK(services.post("/api/v1/auth/logout", "").status == 204);
}

TEST_CASE("a session ends when it is idle or old") {
  ServicesOnLoop services;
  services.make_admin();
  const auto cookie = cookie_in(login(services, "admin", kPassword));
  services.now += 8h - 1ms;
  CHECK(status_of_me(services, cookie) == 200);
  services.now += 8h - 1ms;
  CHECK(status_of_me(services, cookie) == 200);
  services.now += 8h;
  CHECK(status_of_me(services, cookie) == 401);

  const auto second = cookie_in(login(services, "admin", kPassword));
  for (int hour = 0; hour < 23; ++hour) {
    services.now += 1h;
    REQUIRE(status_of_me(services, second) == 200);
  }
  services.now += 1h - 1ms;
  CHECK(status_of_me(services, second) == 200);
  services.now += 1ms;
  CHECK(status_of_me(services, second) == 401);
  CHECK(services.run(services.auth->clean_up()));
  CHECK(services.cell("select count(*) from sessions") == "0");
}

TEST_CASE("five failures lock an account for fifteen minutes, whether it exists or not") {
  for (const std::string name : {"admin", "nobody"}) {
    CAPTURE(name);
    ServicesOnLoop services;
    services.make_admin();
    for (int attempt = 0; attempt < 5; ++attempt) {
      const auto response = login(services, name, "Wrong-Password-1");
      CHECK(response.status == 401);
      CHECK(member(response, "code") == "invalid_credentials");
    }
    services.now += 60s;
    const auto locked = login(services, name, kPassword);
    CHECK(locked.status == 423);
    CHECK(member(locked, "code") == "account_locked");
    CHECK(header(locked, "Retry-After") == "840");
    services.now += 14min - 1ms;
    CHECK(login(services, name, kPassword).status == 423);
    services.now += 1ms;
    CHECK(login(services, name, kPassword).status == (name == "admin" ? 200 : 401));
  }
}

TEST_CASE("a success starts the count of failures anew, and after a lock it starts at one") {
  ServicesOnLoop services;
  services.make_admin();
  for (int round = 0; round < 3; ++round) {
    for (int attempt = 0; attempt < 4; ++attempt) CHECK(login(services, "admin", "Wrong-Password-1").status == 401);
    CHECK(login(services, "admin", kPassword).status == 200);
    services.now += 1min;
  }
  for (int attempt = 0; attempt < 5; ++attempt) CHECK(login(services, "admin", "Wrong-Password-1").status == 401);
  services.now += 15min;
  for (int attempt = 0; attempt < 4; ++attempt) CHECK(login(services, "admin", "Wrong-Password-1").status == 401);
  CHECK(login(services, "admin", kPassword).status == 200);
}

TEST_CASE("guesses at once get no more tries than guesses in a row") {
  ServicesOnLoop services;
  services.make_admin();
  std::map<ErrorCode, int> outcomes;
  int ended = 0;
  for (int guess = 0; guess < 20; ++guess) {
    boost::asio::co_spawn(services.io,
                          services.auth->login("admin", "Wrong-Password-1", fmt::format("10.0.0.{}", guess), ""),
                          [&](std::exception_ptr, server::SignInResult<server::SignIn> result) {
                            ++ended;
                            if (!result) ++outcomes[result.error().error.code];
                          });
  }
  const auto limit = std::chrono::steady_clock::now() + 1min;
  services.io.restart();
  while (ended < 20 && std::chrono::steady_clock::now() < limit) services.io.run_one_for(1s);
  REQUIRE(ended == 20);
  CHECK(outcomes[ErrorCode::invalid_credentials] == 5);
  CHECK(outcomes[ErrorCode::account_locked] == 15);
}

TEST_CASE("an address is told to wait after too many failures; successes do not count") {
  server::AuthSettings settings;
  settings.local.failures_per_address = 3;
  ServicesOnLoop services(settings);
  services.make_admin();
  for (int i = 0; i < 5; ++i) CHECK(login(services, "admin", kPassword).status == 200);
  for (const char* name : {"a", "b", "c"}) CHECK(login(services, name, "x").status == 401);
  services.now += 20s;
  const auto limited = login(services, "admin", kPassword);
  CHECK(limited.status == 429);
  CHECK(header(limited, "Retry-After") == "40");
  services.now += 40s;
  CHECK(login(services, "admin", kPassword).status == 200);
}

TEST_CASE("bad sign-in bodies name their member, foreign pages are refused") {
  ServicesOnLoop services;
  for (const std::string body :
       {R"({"password":"x"})", R"({"username":7,"password":"x"})", R"({"username":"","password":"x"})"}) {
    const auto response = services.post("/api/v1/auth/login", body);
    CHECK(response.status == 400);
    CHECK(member(response, "member") == "/username");
  }
  const auto foreign = services.send(web::Method::post, "/api/v1/auth/login", credentials("a", "b"),
                                     {{"Origin", "https://evil.example"}});
  CHECK(foreign.status == 403);
  CHECK(member(foreign, "code") == "foreign_origin");
  CHECK(services.send(web::Method::post, "/api/v1/auth/login", credentials("a", "b"), {{"Content-Type", "text/plain"}})
            .status == 415);
}
