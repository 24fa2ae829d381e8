#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

#include "audit_fixture.hpp"

using namespace cameleer;
using namespace std::chrono_literals;
using cameleer::test::AuditFixture;
using cameleer::test::kPassword;
using cameleer::test::member;

namespace {

/// `username action target result` of all rows, in order.
std::string entries(AuditFixture& audit, std::string_view category) {
  return audit.cell(
      fmt::format("select string_agg(concat_ws(' ', username, action, target, result), '; ' order by id) "
                  "from audit_log where category = '{}'",
                  category));
}

}  // namespace

TEST_CASE("sign-in, tokens and logout are on record, and no secret is") {
  AuditFixture audit;
  audit.make_admin();
  CHECK(audit.run(audit.environments->ensure_first()));
  const auto credentials = [](std::string_view password) {
    return fmt::format(R"({{"username":"admin","password":"{}"}})", password);
  };
  const auto login = audit.post("/api/v1/auth/login", credentials(kPassword));
  CHECK(login.status == 200);
  CHECK(audit.post("/api/v1/auth/token", credentials("Wrong-Password-1")).status == 401);
  CHECK(audit.run(audit.audit->write_counted()));
  const auto pair = audit.post("/api/v1/auth/token", credentials(kPassword));
  const auto refresh = fmt::format(R"({{"refreshToken":"{}"}})", member(pair, "refreshToken"));
  CHECK(audit.post("/api/v1/auth/refresh", refresh).status == 200);
  audit.now += 1min;
  CHECK(audit.post("/api/v1/auth/refresh", refresh).status == 401);
  const auto more = audit.post("/api/v1/auth/token", credentials(kPassword));
  CHECK(audit.post("/api/v1/auth/logout", "", member(more, "accessToken")).status == 204);
  CHECK(entries(audit, "AUTH") ==
        "admin login admin SUCCESS; admin issue_token admin FAILURE; admin issue_token admin SUCCESS; "
        "admin refresh_token admin FAILURE; admin issue_token admin SUCCESS; admin logout admin SUCCESS");
  CHECK(audit.cell("select remote_address || ' ' || request_id from audit_log where action = 'login'") ==
        "127.0.0.1 request-1");

  const auto key = audit.post("/api/v1/admin/environments/default/api-keys", R"({"label":"pipeline"})",
                              member(audit.post("/api/v1/auth/token", credentials(kPassword)), "accessToken"));
  const auto file = audit.exported();
  for (const auto& secret : {std::string(kPassword), std::string("Wrong-Password-1"), member(pair, "refreshToken"),
                             member(pair, "accessToken"), member(more, "accessToken"), member(key, "secret")}) {
    REQUIRE_FALSE(secret.empty());
    CHECK(file.find(secret) == std::string::npos);
  }
}

TEST_CASE("failures of unknown users are one entry a minute and address, without the name") {
  AuditFixture audit;
  audit.make_admin();
  for (int i = 0; i < 3; ++i) {
    CHECK(audit.post("/api/v1/auth/login", fmt::format(R"({{"username":"nobody{}","password":"x"}})", i)).status ==
          401);
  }
  CHECK(audit.run(audit.audit->write_counted()));
  CHECK(entries(audit, "AUTH").empty());
  audit.now += 1min;
  CHECK(audit.run(audit.audit->write_counted()));
  CHECK(entries(audit, "AUTH") == " login  FAILURE");
  CHECK(audit.cell("select detail ->> 'times' from audit_log where category = 'AUTH'") == "3");
  CHECK(audit.exported().find("nobody") == std::string::npos);
}

TEST_CASE("the failure that locks an account is told") {
  AuditFixture audit;
  audit.make_admin();
  for (int i = 0; i < 6; ++i) {
    (void)audit.post("/api/v1/auth/login", R"({"username":"admin","password":"Wrong-Password-1"})");
  }
  CHECK(audit.run(audit.audit->write_counted()));
  CHECK(audit.cell("select username || ' ' || target from audit_log where action = 'lock_account'") == "SYSTEM admin");
  CHECK(audit.cell("select detail ->> 'times' from audit_log where detail ->> 'reason' = 'wrong_password'") == "5");
  CHECK(audit.cell("select detail ->> 'times' from audit_log where detail ->> 'reason' = 'account_locked'") == "1");
}

TEST_CASE("API keys are on record by label and prefix") {
  AuditFixture audit;
  audit.make_admin();
  CHECK(audit.run(audit.environments->ensure_first()));
  const auto token = audit.run(audit.auth->issue_tokens("admin", std::string(kPassword), "a")).value().access;
  const auto made = audit.post("/api/v1/admin/environments/default/api-keys", R"({"label":"pipeline"})", token);
  const auto path = "/api/v1/admin/environments/default/api-keys/" + member(made, "id");
  for (int i = 0; i < 2; ++i) {
    CHECK(audit.send(web::Method::del, path, {}, {{"Authorization", "Bearer " + token}}).status == 204);
  }
  const auto id = member(made, "id");
  CHECK(audit.cell("select string_agg(concat_ws(' ', username, action, target), '; ' order by id) from audit_log where "
                   "category = 'ENVIRONMENT' and username = 'admin'") ==
        fmt::format("admin create_api_key {}; admin revoke_api_key {}", id, id));
  CHECK(audit.cell("select detail ->> 'prefix' from audit_log where action = 'revoke_api_key'") ==
        member(made, "prefix"));
}

TEST_CASE("the log is searched by each filter, page by page, the newest first") {
  AuditFixture audit;
  for (int i = 1; i <= 5; ++i) {
    audit.record(fmt::format("action_{}", i), i == 2 ? "100%" : "orders", i < 3 ? "ada" : "bob");
    audit.now += 1s;
  }
  const auto found = [&](std::vector<std::pair<std::string, std::string>> query) {
    const auto body = boost::json::parse(audit.ask("/api/v1/admin/audit", std::move(query)).body).as_object();
    std::string actions;
    for (const auto& item : body.at("items").as_array()) actions += item.at("action").as_string().back();
    if (const auto* next = body.if_contains("nextCursor")) actions += " " + std::string(next->as_string());
    return actions;
  };
  CHECK(found({}) == "54321");
  CHECK(found({{"limit", "2"}}) == "54 4");
  CHECK(found({{"limit", "2"}, {"cursor", "4"}}) == "32 2");
  CHECK(found({{"limit", "2"}, {"cursor", "2"}}) == "1");
  CHECK(found({{"username", "ada"}}) == "21");
  CHECK(found({{"action", "action_4"}}) == "4");
  CHECK(found({{"target", "100%"}}) == "2");
  CHECK(found({{"text", "00%"}}) == "2");
  CHECK(found({{"text", "ORDERS"}}) == "5431");
  CHECK(found({{"text", "grün"}}) == "54321");
  CHECK(found({{"category", "AUTH"}}).empty());
  CHECK(found({{"result", "FAILURE"}}).empty());
  CHECK(found({{"from", format_instant(audit.now - 2s)}, {"to", format_instant(audit.now - 1s)}}) == "4");
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{{"limit", "0"},
                                                                                    {"limit", "201"},
                                                                                    {"cursor", "x"},
                                                                                    {"category", "auth"},
                                                                                    {"result", "ok"},
                                                                                    {"from", "now"},
                                                                                    {"username", ""},
                                                                                    {"format", "csv"},
                                                                                    {"other", "1"},
                                                                                    {"text", std::string(257, 'x')}}) {
    INFO(name << "=" << value);
    const auto refused = audit.ask("/api/v1/admin/audit", {{name, value}});
    CHECK(refused.status == 400);
    CHECK(member(refused, "member") == name);
  }
  CHECK(audit.ask("/api/v1/admin/audit/export").status == 400);
}

TEST_CASE("what the database cannot hold, or should not, does not stop an entry") {
  AuditFixture audit;
  const std::string odd("a\0b\xff\xc3(", 6);
  CHECK(audit.run(audit.audit->record({.actor = {.username = odd},
                                       .action = "x",
                                       .target = odd,
                                       .detail = {{"odd", odd}, {"large", std::string(100'000, 'x')}, {"small", 1}}})));
  CHECK(audit.cell("select username || target from audit_log") ==
        "a?b?"
        "?(a?b?"
        "?(");
  CHECK(audit.cell("select detail::text from audit_log") ==
        R"({"odd": "a?b??(", "large": {"omittedBytes": 100002}, "small": 1})");
}
