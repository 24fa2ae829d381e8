#include <catch2/catch.hpp>

#include "services_on_loop.hpp"

using namespace cameleer;
using namespace std::chrono_literals;
using test::kPassword;
using test::member;
using test::ServicesOnLoop;

namespace {

constexpr std::string_view kOrigin = "https://cameleer.example";

/// People and an agent that are signed in, and a database that is there or not.
struct Outage {
  static server::AuthSettings settings(Outage* self) {
    server::AuthSettings settings;
    settings.session_idle = 30min;
    settings.database_lost = [self] { return self->watch && !self->watch->reached(); };
    return settings;
  }

  Outage() : services(settings(this)) {
    watch.emplace([this] { return services.now; }, 60s);
    services.authorizer = server::make_authorizer(*services.auth, *services.tokens, *services.environments,
                                                  server::OriginRule(kOrigin), {}, &*watch);
    services.make_admin();
    const auto key_ref =
        (services.run(services.environments->ensure_first()).value(), services.cell("select id from api_keys"));
    session = services.run(services.auth->login("admin", std::string(kPassword), "a", "b")).value().session;
    user = services.run(services.auth->issue_tokens("admin", std::string(kPassword), "a")).value().access;
    agent = services
                .run(services.tokens->issue({.kind = server::TokenSubject::Kind::agent,
                                             .id = "orders-1",
                                             .environment = "default",
                                             .application = "orders",
                                             .key_ref = key_ref}))
                .value()
                .access;
  }

  void lose() {
    services.run(services.pool->close());
    watch->note(false);
  }

  /// `ok`, or the code of the refusal.
  std::string outcome(web::Method method, std::string_view access, std::string_view operation,
                      std::vector<web::Header> headers) {
    web::Request request;
    request.method = method;
    request.headers = std::move(headers);
    request.headers.push_back({"Host", "localhost:8081"});
    request.headers.push_back({"Origin", std::string(kOrigin)});
    const web::Route route{
        .method = method, .pattern = "/x", .operation_id = std::string(operation), .access = {access}, .handler = {}};
    const auto admitted = services.run(services.authorizer(request, route));
    last = admitted ? "" : admitted.error().message;
    return admitted ? "ok" : std::string(name_of(admitted.error().code));
  }
  std::string read(std::vector<web::Header> headers) {
    return outcome(web::Method::get, "view_observability", "searchExecutions", std::move(headers));
  }
  std::string change(std::vector<web::Header> headers) {
    return outcome(web::Method::post, "send_commands", "sendCommand", std::move(headers));
  }
  std::string send_data() {
    return outcome(web::Method::post, "agent", "ingestExecutions", {{"Authorization", "Bearer " + agent}});
  }
  [[nodiscard]] std::vector<web::Header> cookie() const { return {{"Cookie", "cameleer_session=" + session}}; }
  [[nodiscard]] std::vector<web::Header> bearer() const { return {{"Authorization", "Bearer " + user}}; }

  ServicesOnLoop services;
  std::optional<server::DatabaseWatch> watch;
  std::string session, user, agent, last;
};

}  // namespace

TEST_CASE("while the database is lost, who is known reads on, agents send on, and changes end after the grace") {
  Outage outage;
  for (const auto& headers : {outage.cookie(), outage.bearer()}) {
    CHECK(outage.read(headers) == "ok");
    CHECK(outage.change(headers) == "ok");
  }
  CHECK(outage.send_data() == "ok");
  outage.lose();
  outage.services.now += 60s - 1ms;
  for (const auto& headers : {outage.cookie(), outage.bearer()}) {
    CHECK(outage.read(headers) == "ok");
    CHECK(outage.change(headers) == "ok");
  }
  outage.services.now += 1ms;
  for (const auto& headers : {outage.cookie(), outage.bearer()}) {
    CHECK(outage.read(headers) == "ok");
    CHECK(outage.change(headers) == "unavailable");
    CHECK(outage.last == "PostgreSQL has not been reachable for 60 s: changes are refused until it is back.");
  }
  CHECK(outage.change({}) == "unavailable");
  CHECK(outage.read({}) == "unauthenticated");
  CHECK(outage.send_data() == "ok");

  outage.watch->note(true);
  CHECK_FALSE(outage.watch->outage());
}

TEST_CASE("without a database nobody stays known for ever, and nobody becomes known") {
  Outage outage;
  CHECK(outage.read(outage.cookie()) == "ok");
  CHECK(outage.read(outage.bearer()) == "ok");
  CHECK(outage.send_data() == "ok");
  outage.lose();
  CHECK(outage.read({{"Cookie", "cameleer_session=another"}}) == "unavailable");
  outage.services.now += 30min;
  CHECK(outage.read(outage.cookie()) == "unauthenticated");  // idle
  CHECK(outage.read(outage.bearer()) == "ok");
  outage.services.now += 30min;
  CHECK(outage.read(outage.bearer()) == "invalid_token");  // its own time is over
  CHECK(outage.send_data() == "invalid_token");
}

TEST_CASE("a database that answers is believed, however it was before") {
  Outage outage;
  CHECK(outage.read(outage.cookie()) == "ok");
  CHECK(outage.send_data() == "ok");
  outage.watch->note(false);
  outage.services.cell("delete from sessions");
  outage.services.cell("update api_keys set status = 'REVOKED'");
  outage.services.now += 10s;
  CHECK(outage.read(outage.cookie()) == "ok");
  CHECK(outage.send_data() == "ok");
  outage.watch->note(true);
  CHECK(outage.read(outage.cookie()) == "unauthenticated");
  CHECK(outage.send_data() == "invalid_token");
  outage.watch->note(false);
  CHECK(outage.read(outage.cookie()) == "unauthenticated");
  CHECK(outage.send_data() == "invalid_token");
}

TEST_CASE("what counts as a change") {
  struct Row {
    web::Method method;
    std::string_view access, operation;
    bool change;
  };
  using enum web::Method;
  const Row rows[] = {
      {get, "view_observability", "searchExecutions", false},
      {head, "view_observability", "searchExecutions", false},
      {get, "public", "oidcCallback", false},
      {get, "signed_in", "me", false},
      {post, "public", "login", true},
      {post, "public", "issueToken", true},
      {post, "public", "refreshToken", true},
      {post, "public", "logout", false},
      {post, "signed_in", "changePassword", true},
      {del, "signed_in", "endOwnSession", true},
      {put, "manage_users", "updateUser", true},
      {post, "send_commands", "sendCommand", true},
      {post, "edit_config", "anythingNew", true},
      {post, "manage_server", "testClaimMappings", false},
      {post, "manage_server", "testOidcConfiguration", false},
      {post, "agent", "ingestExecutions", false},
      {post, "agent", "heartbeat", false},
      {post, "agent", "acknowledgeCommand", false},
      {post, "api_key", "registerAgent", false},
      {post, "agent_refresh", "refreshAgentToken", false},
      {get, "agent_stream", "streamCommands", false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.operation);
    const web::Route route{.method = row.method,
                           .pattern = "/x",
                           .operation_id = std::string(row.operation),
                           .access = {row.access},
                           .handler = {}};
    CHECK(server::is_change(route) == row.change);
  }
}
