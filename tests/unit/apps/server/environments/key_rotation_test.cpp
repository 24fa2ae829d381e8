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
const std::string kRegistration = R"({"agentId":"a1","application":"orders","environmentId":"default"})";

struct Fixture : ServicesOnLoop {
  Fixture() { make_admin(); }
  std::string first = run(environments->ensure_first()).value().value();
  std::string first_id = cell("select id from api_keys");
  std::string admin;

  const std::string& admin_token() {
    if (admin.empty()) admin = run(auth->issue_tokens("admin", std::string(test::kPassword), "a")).value().access;
    return admin;
  }
  web::Response rotate(const std::string& id) { return post(kKeys + "/" + id + "/rotate", "", admin_token()); }
  web::Response revoke(const std::string& id) {
    return send(web::Method::del, kKeys + "/" + id, {}, {{"Authorization", "Bearer " + admin_token()}});
  }
  boost::json::object listed(const std::string& id) {
    const auto body = boost::json::parse(get(kKeys, admin_token()).body);
    for (const auto& item : body.at("items").as_array()) {
      if (item.at("id").as_string() == id) return item.as_object();
    }
    throw std::runtime_error("not listed");
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a rotated key has a successor of its label and counts until its grace is over") {
  const auto registered = post("/api/v1/agents/register", kRegistration, first);
  const auto access = member(registered, "accessToken");
  const auto answer = rotate(first_id);
  REQUIRE(answer.status == 201);
  CHECK(header(answer, "Cache-Control") == "no-store");
  CHECK(member(answer, "label") == "first start");
  CHECK(member(answer, "status") == "ACTIVE");
  const auto secret = member(answer, "secret");
  CHECK(run(environments->owner_of(secret)).value()->key_ref == member(answer, "id"));
  const auto rotated = boost::json::parse(answer.body).at("rotated").as_object();
  CHECK(rotated.at("id").as_string() == first_id);
  CHECK(rotated.at("status").as_string() == "ROTATED");
  CHECK(rotated.at("expiresAt").as_string() == format_instant(now + 24h));
  CHECK(listed(first_id).at("expiresAt").as_string() == format_instant(now + 24h));

  now += 24h - 1min;
  CHECK(post("/api/v1/agents/register", kRegistration, first).status == 200);
  CHECK(run(environments->uncounted_keys({first_id})).value().empty());
  // The access token is over by then, its key is not.
  CHECK(run(environments->key_counts(first_id)).value());
  now += 1min;
  CHECK(post("/api/v1/agents/register", kRegistration, first).status == 401);
  CHECK_FALSE(run(environments->key_counts(first_id)).value());
  CHECK(run(environments->uncounted_keys({first_id})).value() == std::vector<std::string>{first_id});
  CHECK(post("/api/v1/agents/register", kRegistration, secret).status == 200);
  CHECK_FALSE(access.empty());
}

TEST_CASE_METHOD(Fixture, "only an active key is rotated, and a rotated one may be revoked at once") {
  REQUIRE(rotate(first_id).status == 201);
  const auto again = rotate(first_id);
  CHECK(again.status == 409);
  CHECK(member(again, "code") == "conflict");
  CHECK(revoke(first_id).status == 204);
  CHECK(run(environments->owner_of(first)).value() == std::nullopt);
  const auto item = listed(first_id);
  CHECK(item.at("status").as_string() == "REVOKED");
  CHECK_FALSE(item.contains("expiresAt"));
  CHECK(rotate(first_id).status == 409);
  CHECK(member(rotate("00000000-0000-4000-8000-000000000000"), "code") == "api_key_not_found");
  CHECK(member(rotate("no-uuid"), "code") == "api_key_not_found");
  CHECK(cell("select count(*) from api_keys") == "2");
}

TEST_CASE_METHOD(Fixture, "a rotation is recorded without a secret") {
  const auto secret = member(rotate(first_id), "secret");
  CHECK(cell("select target from audit_log where action = 'rotate_api_key'") == first_id);
  CHECK(cell("select detail->'before'->>'status' from audit_log where action = 'rotate_api_key'") == "ACTIVE");
  CHECK(cell("select detail->'after'->>'status' from audit_log where action = 'rotate_api_key'") == "ROTATED");
  CHECK(cell("select detail->'successor'->>'prefix' from audit_log where action = 'rotate_api_key'") ==
        secret.substr(0, 12));
  CHECK(cell("select count(*) from audit_log where detail::text like '%" + secret + "%'") == "0");
}

TEST_CASE_METHOD(Fixture, "with no grace a rotated key ends at once") {
  environments.emplace(
      *pool, *audit, [this] { return now; }, identity::system_random(),
      server::EnvironmentSettings{
          .bootstrap_token = {}, .bootstrap_token_previous = {}, .bootstrap_environment = "default", .key_grace = 0h});
  CHECK(run(environments->owner_of(first)).value());
  REQUIRE(run(environments->rotate_key("default", first_id)));
  CHECK_FALSE(run(environments->owner_of(first)).value());
}

TEST_CASE_METHOD(Fixture, "the list tells when a key or a token of it was last used") {
  CHECK_FALSE(listed(first_id).contains("lastUsedAt"));
  const auto start = now;
  const auto access = member(post("/api/v1/agents/register", kRegistration, first), "accessToken");
  CHECK_FALSE(listed(first_id).contains("lastUsedAt"));
  REQUIRE(run(environments->write_key_uses()));
  CHECK(listed(first_id).at("lastUsedAt").as_string() == format_instant(start));
  now += 30s;
  CHECK(post("/api/v1/agents/a1/heartbeat", "", access).status == 200);
  REQUIRE(run(environments->write_key_uses()));
  CHECK(listed(first_id).at("lastUsedAt").as_string() == format_instant(start));
  now += 60s;
  CHECK(post("/api/v1/agents/a1/heartbeat", "", access).status == 200);
  REQUIRE(run(environments->write_key_uses()));
  CHECK(listed(first_id).at("lastUsedAt").as_string() == format_instant(now));
  // A key that does not count is not used.
  REQUIRE(revoke(first_id).status == 204);
  const auto before = listed(first_id).at("lastUsedAt");
  now += 2min;
  CHECK(post("/api/v1/agents/register", kRegistration, first).status == 401);
  REQUIRE(run(environments->write_key_uses()));
  CHECK(listed(first_id).at("lastUsedAt") == before);
}
