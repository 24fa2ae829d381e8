#include <boost/asio/co_spawn.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

#include "services_on_loop.hpp"

using namespace cameleer;
using namespace std::chrono_literals;
using test::header;
using test::member;
using test::ServicesOnLoop;

namespace {

const std::string kKeys = "/api/v1/admin/environments/default/api-keys";

std::string text(const boost::json::value& item, std::string_view name) {
  return std::string(item.at(name).as_string());
}

struct Fixture : ServicesOnLoop {
  Fixture() {
    make_admin();
    cell("insert into environments values (gen_random_uuid(), 'staging', 'Staging', now())");
  }
  std::string first = run(environments->ensure_first()).value().value();
  std::string first_id = cell("select id from api_keys");
  std::string admin;

  const std::string& admin_token() {
    if (admin.empty()) admin = run(auth->issue_tokens("admin", std::string(test::kPassword), "a")).value().access;
    return admin;
  }
  web::Response revoke(const std::string& path) {
    return send(web::Method::del, path, {}, {{"Authorization", "Bearer " + admin_token()}});
  }
  std::vector<std::string> uncounted(std::vector<std::string> refs) {
    return run(environments->uncounted_keys(std::move(refs))).value();
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a new key shows its secret once, and works") {
  const auto made = post(kKeys, R"({"label":"pipeline"})", admin_token());
  REQUIRE(made.status == 201);
  CHECK(header(made, "Cache-Control") == "no-store");
  const auto secret = member(made, "secret");
  CHECK(secret.starts_with("cmk_"));
  CHECK(member(made, "label") == "pipeline");
  CHECK(member(made, "prefix") == secret.substr(0, 12));
  CHECK(member(made, "status") == "ACTIVE");
  CHECK(member(made, "createdAt") == format_instant(now));
  CHECK(run(environments->owner_of(secret)).value()->key_ref == member(made, "id"));
}

TEST_CASE_METHOD(Fixture, "the list shows the keys of the environment, the newest first, and no secret of any") {
  now += 1min;
  const auto secret = member(post(kKeys, R"({"label":"pipeline"})", admin_token()), "secret");
  post("/api/v1/admin/environments/staging/api-keys", R"({"label":"other"})", admin_token());
  CHECK(revoke(kKeys + "/" + first_id).status == 204);
  const auto list = get(kKeys, admin_token());
  REQUIRE(list.status == 200);
  const auto items = boost::json::parse(list.body).at("items").as_array();
  REQUIRE(items.size() == 2);
  CHECK(text(items[0], "label") == "pipeline");
  CHECK(text(items[0], "status") == "ACTIVE");
  CHECK(items[0].as_object().size() == 5);
  CHECK(text(items[1], "id") == first_id);
  CHECK(text(items[1], "status") == "REVOKED");
  CHECK(text(items[1], "revokedAt") == format_instant(now));
  for (const auto& hidden : {secret, first, identity::sha256_hex(secret), std::string("secret"), std::string("hash")}) {
    CHECK(list.body.find(hidden) == std::string::npos);
  }
}

TEST_CASE_METHOD(Fixture, "a revoked key and all that came from it end at once") {
  const auto registered =
      post("/api/v1/agents/register", R"({"agentId":"a1","application":"orders","environmentId":"default"})", first);
  REQUIRE(registered.status == 200);
  const auto access = member(registered, "accessToken"), refresh = member(registered, "refreshToken");
  CHECK(post("/api/v1/agents/a1/heartbeat", "", access).status == 200);
  CHECK(uncounted({first_id}).empty());
  CHECK(revoke(kKeys + "/" + first_id).status == 204);
  CHECK(post("/api/v1/agents/a1/heartbeat", "", access).status == 401);
  CHECK(post("/api/v1/agents/a1/refresh", "", refresh).status == 401);
  const auto again =
      post("/api/v1/agents/register", R"({"agentId":"a1","application":"orders","environmentId":"default"})", first);
  CHECK(again.status == 401);
  CHECK(member(again, "code") == "invalid_credentials");
  CHECK(uncounted({first_id}) == std::vector<std::string>{first_id});
  const auto revoked_at = cell("select revoked_at from api_keys");
  now += 1min;
  CHECK(revoke(kKeys + "/" + first_id).status == 204);
  CHECK(cell("select revoked_at from api_keys") == revoked_at);
}

TEST_CASE_METHOD(Fixture, "what was asked while a key was revoked is not remembered") {
  now += 5s;
  int answered = 0;
  boost::asio::co_spawn(io, environments->key_counts(first_id), [&](std::exception_ptr, const auto&) { ++answered; });
  boost::asio::co_spawn(io, environments->owner_of(first), [&](std::exception_ptr, const auto&) { ++answered; });
  CHECK(run(environments->revoke_key("default", first_id)));
  while (answered < 2) {
    io.restart();
    REQUIRE(io.run_one_for(60s) == 1);
  }
  CHECK_FALSE(run(environments->key_counts(first_id)).value());
  CHECK_FALSE(run(environments->owner_of(first)).value());
}

TEST_CASE_METHOD(Fixture, "a key is revoked in its environment by its id, and nothing else is") {
  const auto staging = "/api/v1/admin/environments/staging/api-keys/";
  struct Row {
    std::string path, code;
  };
  const Row rows[] = {
      {staging + first_id, "api_key_not_found"},
      {kKeys + "/00000000-0000-4000-8000-000000000000", "api_key_not_found"},
      {kKeys + "/bootstrap", "api_key_not_found"},
      {kKeys + "/" + first, "api_key_not_found"},
      {"/api/v1/admin/environments/nowhere/api-keys/" + first_id, "environment_not_found"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.path);
    const auto answer = revoke(row.path);
    CHECK(answer.status == 404);
    CHECK(member(answer, "code") == row.code);
    CHECK(answer.body.find(first) == std::string::npos);
  }
  CHECK(run(environments->key_counts(first_id)).value());
}

TEST_CASE_METHOD(Fixture, "a key needs a label and an environment") {
  struct Row {
    std::string path, body;
    int status;
    std::string code;
  };
  const Row rows[] = {
      {kKeys, "", 400, "malformed_body"},
      {kKeys, "[]", 400, "malformed_body"},
      {kKeys, "{}", 400, "invalid_member"},
      {kKeys, R"({"label":null})", 400, "invalid_member"},
      {kKeys, R"({"label":" \t"})", 400, "invalid_member"},
      {kKeys, R"({"label":7})", 400, "invalid_member"},
      {kKeys, R"({"label":"a\u0000b"})", 400, "invalid_member"},
      {kKeys, R"({"label":")" + std::string(257, 'x') + "\"}", 400, "invalid_member"},
      {"/api/v1/admin/environments/nowhere/api-keys", R"({"label":"x"})", 404, "environment_not_found"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.path, row.body);
    const auto answer = post(row.path, row.body, admin_token());
    CHECK(answer.status == row.status);
    CHECK(member(answer, "code") == row.code);
  }
  CHECK(get("/api/v1/admin/environments/nowhere/api-keys", admin_token()).status == 404);
  CHECK(cell("select count(*) from api_keys") == "1");
}

TEST_CASE_METHOD(Fixture, "of many key references those that do not count are told, as the database has it now") {
  const auto second = run(environments->create_key("staging", "second")).value().description.id;
  const auto rotated = run(environments->create_key("default", "rotated")).value().description.id;
  const std::string unknown = "00000000-0000-4000-8000-000000000000";
  const auto bootstrap = "bootstrap:" + cell("select id from environments where slug = 'default'");
  CHECK(uncounted({}).empty());
  CHECK(uncounted({bootstrap, first_id, second, rotated}).empty());
  // By other processes: nothing here was told.
  cell("update api_keys set status = 'ROTATED', grace_until = '" + format_instant(now + 1h) + "' where id = '" +
       rotated + "'");
  CHECK(uncounted({rotated}).empty());
  cell("update api_keys set status = 'REVOKED' where id = '" + second + "'");
  CHECK(uncounted({first_id, second, "no uuid", bootstrap, "bootstrap", unknown}) ==
        std::vector<std::string>{second, "no uuid", "bootstrap", unknown});
  now += 1h;
  CHECK(uncounted({rotated, first_id}) == std::vector<std::string>{rotated});
}
