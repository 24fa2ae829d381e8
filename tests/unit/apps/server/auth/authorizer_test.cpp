#include <catch2/catch.hpp>

#include "services_on_loop.hpp"

using namespace cameleer;
using namespace std::chrono_literals;
using test::kPassword;
using test::member;
using test::ServicesOnLoop;

namespace {

async::Task<web::Response> nothing(web::Request&) {
  co_return web::Response::empty(204);
}

web::Route route_of(std::string_view access, std::string pattern = "/x") {
  return {.method = web::Method::post,
          .pattern = std::move(pattern),
          .operation_id = "x",
          .access = {access},
          .handler = nothing};
}

struct Credential {
  std::string name;
  web::Header header;
};

std::string outcome(ServicesOnLoop& services, const web::Route& route, std::vector<web::Header> headers,
                    std::string agent_id = {}, std::string query_token = {}) {
  web::Request request;
  if (!query_token.empty()) request.query.emplace_back("token", query_token);
  request.method = web::Method::post;
  request.headers = std::move(headers);
  request.headers.push_back({"Host", "localhost:8081"});
  if (!agent_id.empty()) request.path_parameters.emplace_back("agentId", agent_id);
  auto admitted = services.run(services.authorizer(request, route));
  return admitted ? "ok" : std::string(name_of(admitted.error().code));
}

web::Header bearer(const std::string& token) {
  return {"Authorization", "Bearer " + token};
}

}  // namespace

TEST_CASE("each credential opens the routes of its kind and no other") {
  ServicesOnLoop services;
  services.make_admin();
  const auto key = services.run(services.environments->ensure_first()).value().value();
  const auto user = services.run(services.auth->issue_tokens("admin", std::string(kPassword), "a")).value();
  const auto session = services.run(services.auth->login("admin", std::string(kPassword), "a", "b")).value().session;
  const auto key_ref = services.cell("select id from api_keys");
  const auto agent = services
                         .run(services.tokens->issue({.kind = server::TokenSubject::Kind::agent,
                                                      .id = "orders-1",
                                                      .environment = "default",
                                                      .application = "orders",
                                                      .key_ref = key_ref}))
                         .value();
  const web::Header origin{"Origin", "https://cameleer.example"};
  struct Row {
    std::string name;
    std::vector<web::Header> headers;
    // public, signed_in, manage_users, api_key, agent, agent_refresh
    std::array<std::string, 6> outcomes;
  };
  const std::string no = "unauthenticated", bad = "invalid_token", wrong = "invalid_credentials";
  const Row rows[] = {
      {"nothing", {}, {"ok", no, no, no, no, no}},
      {"user's access token", {bearer(user.access)}, {"ok", "ok", "ok", wrong, no, no}},
      {"user's refresh token", {bearer(user.refresh)}, {"ok", no, no, wrong, no, no}},
      {"session", {{"Cookie", "cameleer_session=" + session}, origin}, {"ok", "ok", "ok", no, no, no}},
      {"ended session", {{"Cookie", "cameleer_session=x"}, origin}, {"ok", no, no, no, no, no}},
      {"API key", {bearer(key)}, {"ok", bad, bad, "ok", bad, bad}},
      {"bootstrap token", {bearer("bootstrap-secret")}, {"ok", bad, bad, "ok", bad, bad}},
      {"previous bootstrap token", {bearer("older")}, {"ok", bad, bad, "ok", bad, bad}},
      {"unknown API key", {bearer("cmk_" + std::string(43, 'A'))}, {"ok", bad, bad, wrong, bad, bad}},
      {"agent's access token", {bearer(agent.access)}, {"ok", no, no, wrong, "ok", no}},
      {"agent's refresh token", {bearer(agent.refresh)}, {"ok", no, no, wrong, no, "ok"}},
      {"bytes >= 0x80", {bearer("\x80.\xff.\xfe")}, {"ok", bad, bad, wrong, bad, bad}},
      {"basic", {{"Authorization", "Basic YTpi"}}, {"ok", no, no, no, no, no}},
      {"basic and session",
       {{"Authorization", "Basic YTpi"}, {"Cookie", "cameleer_session=" + session}, origin},
       {"ok", no, no, no, no, no}},
  };
  const std::string_view names[] = {"public", "signed_in", "manage_users", "api_key", "agent", "agent_refresh"};
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < 6; ++i) {
      CAPTURE(row.name, names[i]);
      CHECK(outcome(services, route_of(names[i]), row.headers) == row.outcomes[i]);
    }
  }
  CHECK(outcome(services, route_of("agent", "/{agentId}"), {bearer(agent.access)}, "orders-1") == "ok");
  CHECK(outcome(services, route_of("agent", "/{agentId}"), {bearer(agent.access)}, "orders-2") == "foreign_agent");
  CHECK(outcome(services, route_of("agent_refresh", "/{agentId}"), {bearer(agent.refresh)}, "orders-2") ==
        "foreign_agent");
}

TEST_CASE("an agent's token in the query opens its stream and nothing else") {
  ServicesOnLoop services;
  services.run(services.environments->ensure_first()).value();
  const auto agent = services
                         .run(services.tokens->issue({.kind = server::TokenSubject::Kind::agent,
                                                      .id = "orders-1",
                                                      .environment = "default",
                                                      .application = "orders",
                                                      .key_ref = services.cell("select id from api_keys")}))
                         .value();
  const auto stream = route_of("agent_stream", "/{agentId}");
  CHECK(outcome(services, stream, {bearer(agent.access)}, "orders-1") == "ok");
  CHECK(outcome(services, stream, {}, "orders-1", agent.access) == "ok");
  CHECK(outcome(services, stream, {}, "orders-2", agent.access) == "foreign_agent");
  CHECK(outcome(services, stream, {}, "orders-1", agent.refresh) == "unauthenticated");
  CHECK(outcome(services, stream, {}, "orders-1") == "unauthenticated");
  CHECK(outcome(services, stream, {bearer("x.y.z")}, "orders-1", agent.access) == "invalid_token");
  for (const auto* access : {"agent", "agent_refresh", "signed_in", "api_key", "view_runtime"}) {
    CAPTURE(access);
    CHECK(outcome(services, route_of(access), {}, {}, agent.access) == "unauthenticated");
  }
}

TEST_CASE("a user needs the permission of the route, by system and by custom roles") {
  ServicesOnLoop services;
  services.make_admin();
  const auto user = services.run(services.auth->issue_tokens("admin", std::string(kPassword), "a")).value();
  const auto may = [&](std::string_view permission) {
    services.now += 5s;
    return outcome(services, route_of(permission), {bearer(user.access)});
  };
  CHECK(may("manage_users") == "ok");
  services.cell("update user_roles set role_id = (select role_id from roles where name = 'VIEWER')");
  CHECK(may("view_observability") == "ok");
  CHECK(may("send_commands") == "forbidden");
  services.cell(
      "insert into roles (role_id, name, permissions) values (gen_random_uuid(), 'commander', "
      "'{send_commands,view_audit,not_yet_invented}')");
  services.cell(
      "insert into user_roles (user_id, role_id, created_at) select u.user_id, r.role_id, now() from users u, roles r "
      "where r.name = 'commander'");
  CHECK(may("send_commands") == "ok");
  CHECK(may("view_audit") == "ok");
  CHECK(may("manage_users") == "forbidden");
  services.cell("delete from user_roles");
  CHECK(may("view_observability") == "forbidden");
  CHECK(may("signed_in") == "ok");
  services.cell("delete from users");
  CHECK(may("signed_in") == "invalid_token");
}

TEST_CASE("what was found out is believed for less than five seconds") {
  ServicesOnLoop services;
  services.make_admin();
  const auto user = services.run(services.auth->issue_tokens("admin", std::string(kPassword), "a")).value();
  const auto key = services.run(services.environments->ensure_first()).value().value();
  CHECK(outcome(services, route_of("signed_in"), {bearer(user.access)}) == "ok");
  CHECK(outcome(services, route_of("api_key"), {bearer(key)}) == "ok");
  services.cell("update refresh_tokens set revoked_at = now()");
  services.cell("update api_keys set status = 'REVOKED'");
  services.now += 4'999ms;
  CHECK(outcome(services, route_of("signed_in"), {bearer(user.access)}) == "ok");
  services.now += 1ms;
  CHECK(outcome(services, route_of("signed_in"), {bearer(user.access)}) == "invalid_token");
  CHECK(outcome(services, route_of("api_key"), {bearer(key)}) == "invalid_credentials");
}

TEST_CASE("a cookie changes nothing for pages of another origin") {
  ServicesOnLoop services;
  services.make_admin();
  const auto session = services.run(services.auth->login("admin", std::string(kPassword), "a", "b")).value().session;
  const web::Header cookie{"Cookie", "cameleer_session=" + session};
  const std::pair<std::string, std::string> rows[] = {
      {"https://cameleer.example", "ok"},
      {"https://CAMELEER.example:443", "ok"},
      {"http://localhost:8081", "ok"},
      {"https://localhost:8081", "foreign_origin"},
      {"http://localhost", "foreign_origin"},
      {"http://cameleer.example", "foreign_origin"},
      {"https://evil.example", "foreign_origin"},
      {"https://cameleer.example.evil.example", "foreign_origin"},
      {"null", "foreign_origin"},
      {"", "foreign_origin"},
  };
  for (const auto& [origin, expected] : rows) {
    CAPTURE(origin);
    CHECK(outcome(services, route_of("signed_in"), {cookie, {"Origin", origin}}) == expected);
  }
  CHECK(outcome(services, route_of("signed_in"), {cookie}) == "foreign_origin");
  CHECK(services.send(web::Method::get, "/api/v1/auth/me", {}, {cookie, {"Origin", "https://evil.example"}}).status ==
        200);
}

TEST_CASE("an access name that nobody understands stops the start") {
  web::Router router;
  router.add(route_of("manage_users"));
  CHECK(server::check_access_names(router));
  router.add(route_of("manage_everything", "/y"));
  const auto checked = server::check_access_names(router);
  REQUIRE_FALSE(checked);
  CHECK(checked.error().message.find("manage_everything") != std::string::npos);
}

TEST_CASE("without a database an answer is 503 within its deadline") {
  boost::asio::io_context io;
  postgres::Pool pool(io.get_executor(), {.conninfo = "host=/nonexistent dbname=x", .statement_time = 200ms});
  const Clock clock = [] { return instant_of(1'800'000'000'000); };
  async::WorkerPool workers(1, 10);
  const identity::Keys keys(identity::MasterKey::from_bytes(std::string(32, 'k')));
  server::AuditService audit(pool, clock);
  server::EnvironmentService environments(pool, audit, clock, identity::system_random(), {});
  server::TokenService tokens(keys, pool, clock, identity::system_random(), {});
  server::AuthService auth(pool, audit, workers, tokens, clock, identity::system_random());
  auto login = test::finish(io, auth.login("admin", "x", "a", "b"));
  REQUIRE_FALSE(login);
  CHECK(login.error().error.code == ErrorCode::unavailable);
  auto session = test::finish(io, auth.principal_of_session("x"));
  REQUIRE_FALSE(session);
  CHECK(session.error().code == ErrorCode::unavailable);
  auto owner = test::finish(io, environments.owner_of("cmk_" + std::string(43, 'A')));
  REQUIRE_FALSE(owner);
  CHECK(owner.error().code == ErrorCode::unavailable);
  test::finish(io, pool.close());
}
