#include <boost/json/array.hpp>
#include <catch2/catch.hpp>

#include "users_on_loop.hpp"

using namespace cameleer;
using namespace std::chrono_literals;
using test::kPassword;
using test::UsersOnLoop;
using web::Method;

namespace {

std::string quoted(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

}  // namespace

TEST_CASE("a user is made, found in any case, changed and deleted, and each step is in the audit log") {
  UsersOnLoop services;
  const auto id = services.make_user("Ada");
  CHECK(services.as_admin(Method::get, "users/ADA").text("userId") == id);
  CHECK(services.as_admin(Method::get, "users/" + id).text("displayName") == "Ada");
  const auto changed =
      services.as_admin(Method::put, "users/ada", R"({"displayName":"Ada L.","email":"ada@x.example"})");
  CHECK(changed.status == 200);
  CHECK(changed.text("email") == "ada@x.example");
  CHECK(services.as_admin(Method::put, "users/ada", R"({"email":null})").text("email").empty());
  CHECK(services.as_admin(Method::get, "users/ada").text("displayName") == "Ada L.");
  CHECK(services.as_admin(Method::del, "users/" + id).status == 204);
  CHECK(services.as_admin(Method::get, "users/ada").text("code") == "user_not_found");
  CHECK(services.cell("select string_agg(action || ' ' || target || ' ' || username, ', ' order by id) from audit_log "
                      "where category = 'USER_MGMT' and username = 'admin'") ==
        "create_user Ada admin, update_user Ada admin, update_user Ada admin, delete_user Ada admin");
  CHECK(services.cell("select detail #>> '{before,displayName}' || ' ' || (detail #>> '{after,displayName}') from "
                      "audit_log where action = 'update_user' order by id limit 1") == "Ada Ada L.");
  CHECK(services.cell("select count(*) from audit_log where detail::text like '%argon2%' or detail::text like '%" +
                      std::string(kPassword) + "%'") == "0");
}

TEST_CASE("what cannot be a user is refused by its member") {
  UsersOnLoop services;
  services.make_user("ada");
  const std::string good = quoted(kPassword);
  struct Row {
    std::string body, code, member;
  };
  const Row rows[] = {
      {R"({"username":"ADA","password":)" + good + "}", "conflict", ""},
      {R"({"password":)" + good + "}", "invalid_member", "/username"},
      {R"({"username":" ","password":)" + good + "}", "invalid_member", "/username"},
      {R"({"username":"a\tb","password":)" + good + "}", "invalid_member", "/username"},
      {R"({"username":"a\u0000b","password":)" + good + "}", "invalid_member", "/username"},
      {R"({"username":")" + std::string(257, 'x') + R"(","password":)" + good + "}", "invalid_member", "/username"},
      {R"({"username":"bob"})", "invalid_member", "/password"},
      {R"({"username":"bob","password":"short"})", "weak_password", "/password"},
      {R"({"username":"bob","password":"Xbob-is-In-1234"})", "weak_password", "/password"},
      {R"({"username":"bob","email":"nobody","password":)" + good + "}", "invalid_member", "/email"},
      {"{\"username\":\"\xff\"}", "malformed_body", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.body);
    const auto answer = services.as_admin(Method::post, "users", row.body);
    CHECK(answer.text("code") == row.code);
    CHECK(answer.text("member") == row.member);
  }
  CHECK(services.as_admin(Method::put, "users/ada", R"({"enabled":"no"})").text("member") == "/enabled");
  CHECK(services.as_admin(Method::put, "users/nobody", "{}").text("code") == "user_not_found");
}

TEST_CASE("where people sign in with a provider alone there are no local users to make and no passwords") {
  UsersOnLoop services;
  services.make_user("ada");
  services.users.emplace(
      *services.pool, services.workers, *services.auth, *services.audit, [&services] { return services.now; },
      identity::system_random(), server::UserServiceSettings{.local_accounts = [] { return false; }});
  const auto body = R"({"username":"bob","password":"Correct-Horse-1"})";
  CHECK(services.as_admin(Method::post, "users", body).text("code") == "not_found");
  CHECK(services.as_admin(Method::put, "users/ada/password", body).text("code") == "not_found");
  CHECK(services
            .call(Method::post, "/api/v1/auth/password",
                  R"({"currentPassword":"Correct-Horse-1","newPassword":"Another-Horse-2"})", services.admin)
            .text("code") == "not_found");
  CHECK(services.as_admin(Method::get, "users").status == 200);
  CHECK(services.as_admin(Method::put, "users/ada/roles/VIEWER").status == 204);
}

TEST_CASE("a sign-in is noted") {
  UsersOnLoop services;
  services.make_user("ada");
  CHECK(services.as_admin(Method::get, "users/ada").text("lastLoginAt").empty());
  services.token_of("ada");
  CHECK(services.as_admin(Method::get, "users/ada").text("lastLoginAt") == format_instant(services.now));
}

TEST_CASE("the list goes page by page and finds parts of names in any case") {
  UsersOnLoop services;
  for (const auto* name : {"Carol", "bob", "Ada", "dan"}) services.make_user(name);
  std::string seen, cursor;
  for (int page = 0; page < 3; ++page) {
    const auto answer = services.as_admin(Method::get, "users?limit=2" + (cursor.empty() ? "" : "&cursor=" + cursor));
    REQUIRE(answer.status == 200);
    for (const auto& item : answer.body.at("items").as_array())
      seen += std::string(item.at("username").as_string()) + " ";
    cursor = answer.text("nextCursor");
    CHECK(cursor.empty() == (page == 2));
  }
  CHECK(seen == "Ada admin bob Carol dan ");
  const auto found = services.as_admin(Method::get, "users?q=AR");
  CHECK(found.text("/items/0/username") == "Carol");
  CHECK(found.body.at("items").as_array().size() == 1);
  CHECK(services.as_admin(Method::get, "users?limit=0").text("member") == "limit");
  CHECK(services.as_admin(Method::get, "users?limit=501").text("member") == "limit");
  CHECK(services.as_admin(Method::get, "users?cursor=%%").text("member") == "cursor");
}

TEST_CASE("a disabled user loses sessions and tokens at once and cannot sign in") {
  UsersOnLoop services;
  services.make_user("ada");
  const auto pair = services.run(services.auth->issue_tokens("ada", std::string(kPassword), "a")).value();
  const auto session = services.run(services.auth->login("ada", std::string(kPassword), "a", "b")).value().session;
  const web::Header cookie{"Cookie", "cameleer_session=" + session};
  CHECK(services.get("/api/v1/auth/me", pair.access).status == 200);
  CHECK(services.send(Method::get, "/api/v1/auth/me", {}, {cookie}).status == 200);
  CHECK(services.as_admin(Method::put, "users/ada", R"({"enabled":false})").status == 200);
  CHECK(services.get("/api/v1/auth/me", pair.access).status == 401);
  CHECK(services.send(Method::get, "/api/v1/auth/me", {}, {cookie}).status == 401);
  CHECK_FALSE(services.run(services.auth->refresh(pair.refresh)));
  CHECK(services.run(services.auth->login("ada", std::string(kPassword), "a", "b")).error().error.code ==
        ErrorCode::invalid_credentials);
  CHECK(services.as_admin(Method::put, "users/ada", R"({"enabled":true})").status == 200);
  CHECK(services.get("/api/v1/auth/me", pair.access).status == 401);
  CHECK(services.get("/api/v1/auth/me", services.token_of("ada")).status == 200);
}

TEST_CASE("another process believes what it knew for less than five seconds") {
  UsersOnLoop services;
  const auto id = services.make_user("ada");
  const auto token = services.token_of("ada");
  CHECK(services.get("/api/v1/auth/me", token).status == 200);
  services.cell("update users set enabled = false where user_id = '" + id + "'");
  CHECK(services.get("/api/v1/auth/me", token).status != 200);  // `me` itself reads the user
  services.cell("update users set enabled = true where user_id = '" + id + "'");
  services.cell("update refresh_tokens set revoked_at = now() where user_id = '" + id + "'");
  services.now += 4'999ms;
  CHECK(services.get("/api/v1/auth/sessions", token).status == 200);
  services.now += 1ms;
  CHECK(services.get("/api/v1/auth/sessions", token).status == 401);
}

TEST_CASE("one's own password needs the present one, and ends all else that was signed in") {
  UsersOnLoop services;
  services.make_user("ada");
  const auto login = [&](const std::string& password) {
    return services.run(services.auth->login("ada", password, "a", "b"));
  };
  const auto token = services.token_of("ada");
  const auto mine = login(std::string(kPassword)).value().session,
             other = login(std::string(kPassword)).value().session;
  const auto with = [](const std::string& session) {
    return std::vector<web::Header>{{"Cookie", "cameleer_session=" + session}, {"Origin", "https://cameleer.example"}};
  };
  const auto change = [&](const std::string& current, const std::string& wanted) {
    return test::member(
        services.send(Method::post, "/api/v1/auth/password",
                      R"({"currentPassword":")" + current + R"(","newPassword":")" + wanted + "\"}", with(mine)),
        "code");
  };
  services.now += 2s;
  CHECK(change("wrong", "Another-Horse-2") == "invalid_credentials");
  CHECK(change(std::string(kPassword), "short") == "weak_password");
  CHECK(change(std::string(kPassword), std::string(kPassword)) == "weak_password");
  const auto done =
      services.send(Method::post, "/api/v1/auth/password",
                    R"({"currentPassword":"Correct-Horse-1","newPassword":"Another-Horse-2"})", with(mine));
  CHECK(done.status == 204);
  CHECK(services.send(Method::get, "/api/v1/auth/me", {}, with(mine)).status == 200);
  CHECK(services.send(Method::get, "/api/v1/auth/me", {}, with(other)).status == 401);
  CHECK(services.get("/api/v1/auth/me", token).status == 401);
  CHECK_FALSE(login(std::string(kPassword)));
  CHECK(login("Another-Horse-2"));
  CHECK(services.cell("select string_agg(action || ' ' || result, ', ' order by id) from audit_log where action = "
                      "'change_password'") == "change_password FAILURE, change_password SUCCESS");
}

TEST_CASE("guessing one's present password locks the account") {
  UsersOnLoop services;
  services.make_user("ada");
  const auto token = services.token_of("ada");
  const auto guess = [&] {
    return services
        .call(Method::post, "/api/v1/auth/password",
              R"({"currentPassword":"Wrong-Horse-99","newPassword":"Another-Horse-2"})", token)
        .status;
  };
  for (int i = 0; i < 5; ++i) CHECK(guess() == 401);
  CHECK(guess() == 423);
}

TEST_CASE("an administrator sets a password, but not of somebody who may do more") {
  UsersOnLoop services;
  services.make_user("ada");
  services.make_user("helpdesk");
  services.make_role("people", R"(["manage_users"])");
  services.as_admin(Method::put, "users/helpdesk/roles/people");
  const auto helpdesk = services.token_of("helpdesk"), ada = services.token_of("ada");
  const auto set = [&](const std::string& user, const std::string& password) {
    return services
        .call(Method::put, "/api/v1/admin/users/" + user + "/password", R"({"password":")" + password + "\"}", helpdesk)
        .text("code");
  };
  CHECK(set("admin", "Another-Horse-2") == "forbidden");
  CHECK(set("ada", "short") == "weak_password");
  CHECK(set("nobody", "Another-Horse-2") == "user_not_found");
  CHECK(set("ada", "Another-Horse-2").empty());
  CHECK(services.get("/api/v1/auth/me", ada).status == 401);
  CHECK(services.run(services.auth->login("ada", "Another-Horse-2", "a", "b")));
}

TEST_CASE("sessions are listed and ended, one or all") {
  UsersOnLoop services;
  services.make_user("ada");
  const auto sign_in = [&] {
    services.now += 1s;
    return services.run(services.auth->login("ada", std::string(kPassword), "10.0.0.1", "Browser")).value().session;
  };
  const auto first = sign_in(), second = sign_in(), third = sign_in();
  const auto with = [](const std::string& session) {
    return std::vector<web::Header>{{"Cookie", "cameleer_session=" + session}, {"Origin", "https://cameleer.example"}};
  };
  const auto own = services.send(Method::get, "/api/v1/auth/sessions", {}, with(second));
  CHECK(own.body.find(identity::sha256_hex(first)) == std::string::npos);
  CHECK(own.body.find(first) == std::string::npos);
  const auto all = services.as_admin(Method::get, "users/ada/sessions");
  REQUIRE(all.body.at("items").as_array().size() == 3);
  CHECK(all.text("/items/0/userAgent") == "Browser");
  CHECK(services.as_admin(Method::del, "users/ada/sessions/" + all.text("/items/2/id")).status == 204);
  CHECK(services.send(Method::get, "/api/v1/auth/me", {}, with(first)).status == 401);
  CHECK(services.as_admin(Method::del, "users/ada/sessions/x").text("code") == "session_not_found");
  CHECK(services.send(Method::del, "/api/v1/auth/sessions", {}, with(second)).status == 204);
  CHECK(services.send(Method::get, "/api/v1/auth/me", {}, with(second)).status == 200);
  CHECK(services.send(Method::get, "/api/v1/auth/me", {}, with(third)).status == 401);
  CHECK(services.as_admin(Method::del, "users/ada/sessions").status == 204);
  CHECK(services.send(Method::get, "/api/v1/auth/me", {}, with(second)).status == 401);
}
