#include "server/auth/agent_key_rule.hpp"

#include <catch2/catch.hpp>

#include "services_on_loop.hpp"

using namespace cameleer;
using test::ServicesOnLoop;

TEST_CASE("an agent of before a rotation sends on, but registers again for its stream") {
  ServicesOnLoop services;
  services.run(services.environments->ensure_first()).value();
  const identity::Keys rotated(identity::MasterKey::from_bytes(std::string(32, 'n')),
                               identity::MasterKey::from_bytes(std::string(32, 'k')));
  server::TokenService tokens(rotated, *services.pool, [&] { return services.now; }, identity::system_random(), {});
  const auto agent = [&](server::TokenService& by) {
    return services
        .run(by.issue({.kind = server::TokenSubject::Kind::agent,
                       .id = "orders-1",
                       .environment = "default",
                       .application = "orders",
                       .key_ref = services.cell("select id from api_keys")}))
        .value();
  };
  const auto before = agent(*services.tokens), after = agent(tokens);
  const auto authorizer = server::with_agent_key_rule(
      server::make_authorizer(*services.auth, tokens, *services.environments, server::OriginRule()), rotated);
  const auto outcome = [&](std::string_view access, const std::string& token, bool in_query = false) {
    web::Request request;
    request.method = web::Method::post;
    if (in_query) request.query.emplace_back("token", token);
    if (!in_query) request.headers.push_back({"Authorization", "Bearer " + token});
    const web::Route route{
        .method = web::Method::post, .pattern = "/x", .operation_id = "x", .access = {access}, .handler = {}};
    const auto admitted = services.run(authorizer(request, route));
    return admitted ? std::string("ok") : std::string(name_of(admitted.error().code));
  };
  CHECK(outcome("agent", before.access) == "ok");
  CHECK(outcome("agent_stream", before.access) == "invalid_token");
  CHECK(outcome("agent_stream", before.access, true) == "invalid_token");
  CHECK(outcome("agent_refresh", before.refresh) == "invalid_token");
  CHECK(outcome("agent", after.access) == "ok");
  CHECK(outcome("agent_stream", after.access) == "ok");
  CHECK(outcome("agent_stream", after.access, true) == "ok");
  CHECK(outcome("agent_refresh", after.refresh) == "ok");
  CHECK(outcome("agent_refresh", after.access) == "unauthenticated");
}
