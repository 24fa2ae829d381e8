#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cameleer/identity/encoding.hpp>

#include "agent-sim/probe.hpp"

namespace cameleer::sim {
namespace {

namespace json = boost::json;

constexpr std::string_view kRegister = "/api/v1/agents/register";

json::object registration_of(const Probe& probe, std::string_view name) {
  return {{"agentId", probe.id(name)},
          {"displayName", "conformance"},
          {"application", "conformance"},
          {"environmentId", probe.options().environment},
          {"version", "1.0"},
          {"routeIds", json::array{"r1"}},
          {"capabilities", json::object{}}};
}

std::string tampered(std::string token) {
  // In the middle of the signature, where every bit counts.
  auto& letter = token[token.size() - 10];
  letter = letter == 'A' ? 'B' : 'A';
  return token;
}

/// One member of a right registration changed.
struct BodyRule {
  const char* rule;
  const char* member;
  json::value value;  ///< null counts as absent
  const char* expected;
};

async::Task<> check_bodies(Probe& probe) {
  const BodyRule rules[] = {
      {"agentId is required", "agentId", nullptr, "400 invalid_member /agentId"},
      {"application is required", "application", nullptr, "400 invalid_member /application"},
      {"environmentId is required", "environmentId", nullptr, "400 invalid_member /environmentId"},
      {"an empty environmentId is refused", "environmentId", "", "400 invalid_member /environmentId"},
      {"another environment than the key's is refused", "environmentId", "not-the-keys", "403"},
      {"an agentId has letters, digits and . _ : @ - only", "agentId", "a/b", "400 invalid_member /agentId"},
      {"an agentId has 128 characters at most", "agentId", json::string(129, 'a'), "400 invalid_member /agentId"},
      {"routeIds is an array of texts", "routeIds", "r1", "400 invalid_member /routeIds"},
      {"capabilities is an object", "capabilities", "none", "400 invalid_member /capabilities"},
      {"capabilities has 16 KiB at most", "capabilities", json::object{{"a", json::string(17'000, 'x')}},
       "400 invalid_member /capabilities"},
      {"agentTime is an instant", "agentTime", "yesterday", "400 invalid_member /agentTime"},
      {"a body has 256 KiB at most", "x", json::string(300'000, 'x'), "413 body_too_large"},
      {"an unknown member is ignored", "somethingNew", true, "200"},
      {"null counts as absent", "version", nullptr, "200"}};
  for (const auto& rule : rules) {
    auto body = registration_of(probe, "bodies");
    body[rule.member] = rule.value;
    probe.row(rule.rule, rule.expected,
              co_await probe.post(std::string(kRegister), probe.options().api_key, json::serialize(body)));
  }
  auto body = json::serialize(registration_of(probe, "bodies"));
  body.pop_back();
  probe.row("a body that is no JSON is refused", "400 malformed_body",
            co_await probe.post(std::string(kRegister), probe.options().api_key, body));
}

async::Task<> check_credentials(Probe& probe) {
  const auto body = json::serialize(registration_of(probe, "credentials"));
  const Probe::Headers json_type{{"Content-Type", "application/json"}};
  probe.row("registration needs a bearer", "401",
            co_await probe.raw(web::Method::post, std::string(kRegister), json_type, body));
  probe.row("an unknown API key is refused", "401",
            co_await probe.post(std::string(kRegister), "cmk_" + std::string(43, 'A'), body));
  auto* agent = co_await probe.registered("credentials");
  probe.row("an agent's token is no API key", "401",
            co_await probe.post(std::string(kRegister), agent->access_token(), body));
}

async::Task<> check_versions(Probe& probe) {
  const auto body = json::serialize(registration_of(probe, "versions"));
  for (const auto* header : {"X-Cameleer-Protocol-Version", "X-Protocol-Version"}) {
    for (const auto& [version, expected] : {std::pair("1", "200"), std::pair("2", "400 unsupported_version")}) {
      const Probe::Headers named{{header, version}};
      probe.row(fmt::format("{}: {}", header, version), expected,
                co_await probe.post(std::string(kRegister), probe.options().api_key, body, named));
    }
  }
}

}  // namespace

async::Task<> check_registration(Probe& probe) {
  probe.area("register");
  auto& agent = probe.agent("register");
  auto answer = co_await agent.register_agent();
  probe.row("a right registration is answered", "200", answer);
  const auto& body = agent.registration();
  probe.row("the answer has every member", "all there",
            lacking(body, {"agentId", "tenantId", "sseEndpoint", "heartbeatIntervalMs", "accessToken", "refreshToken",
                           "expiresInSeconds", "serverPublicKey", "serverKeyId", "config", "serverTime"}));
  const auto key = identity::decode_base64(text_member(body, "serverPublicKey"));
  probe.row("serverPublicKey is an Ed25519 SubjectPublicKeyInfo", "44 bytes",
            key ? fmt::format("{} bytes", key->size()) : "no base64");
  probe.row("sseEndpoint is the agent's events", "yes",
            text_member(body, "sseEndpoint").ends_with("/api/v1/agents/" + agent.identity().id + "/events")
                ? "yes"
                : text_member(body, "sseEndpoint"));
  const auto time = parse_instant(text_member(body, "serverTime"));
  const auto skew = time ? std::chrono::abs(*time - agent.now()) : std::chrono::hours(24);
  probe.row("serverTime is an instant, now", "yes",
            skew < std::chrono::minutes(10) ? "yes" : text_member(body, "serverTime"));
  const auto* object = body.if_object();
  const auto* config = object ? object->if_contains("config") : nullptr;
  probe.row("config has a version and the merged sensitive keys", "all there",
            config ? lacking(*config, {"version", "mergedSensitiveKeys"}) : "no config");
  probe.row("a known agent may register again", "200", co_await agent.register_agent());
  probe.row("a registered agent is LIVE", "LIVE",
            text_member(co_await shown_agent(probe, agent.identity().id), "state"));
  co_await check_bodies(probe);
  co_await check_credentials(probe);
  co_await check_versions(probe);
}

async::Task<> check_tokens(Probe& probe) {
  probe.area("tokens");
  auto* agent = co_await probe.registered("tokens");
  auto* other = co_await probe.registered("tokens-other");
  const auto path = "/api/v1/agents/" + agent->identity().id;
  const auto refresh = agent->refresh_token(), access = agent->access_token();
  auto first = co_await probe.post(path + "/refresh", refresh, "");
  probe.row("a refresh token gives a new pair", "200", first);
  const auto pair = first ? json_in(*first) : json::value();
  probe.row("the answer has every member", "all there",
            lacking(pair, {"accessToken", "refreshToken", "expiresInSeconds", "serverTime"}));
  auto again = co_await probe.post(path + "/refresh", refresh, "");
  const bool same = again && again->status == 200 &&
                    text_member(json_in(*again), "refreshToken") == text_member(pair, "refreshToken");
  probe.row("the same refresh token gives the same successor within 30 s", "the same", same ? "the same" : said(again));
  probe.row("the new access token counts", "200",
            co_await probe.post(path + "/heartbeat", text_member(pair, "accessToken"), ""));
  probe.row("the old access token lives on until it expires", "200",
            co_await probe.post(path + "/heartbeat", access, ""));
  probe.row("an access token does not refresh", "401", co_await probe.post(path + "/refresh", access, ""));
  probe.row("a refresh token is no access token", "401", co_await probe.post(path + "/heartbeat", refresh, ""));
  probe.row("a tampered token is refused", "401 invalid_token",
            co_await probe.post(path + "/heartbeat", tampered(access), ""));
  probe.row("a token with algorithm none is refused", "401 invalid_token",
            co_await probe.post(path + "/heartbeat",
                                identity::base64url(R"({"alg":"none"})") + access.substr(access.find('.')), ""));
  probe.row("another agent's heartbeat is refused", "403 foreign_agent",
            co_await probe.post(path + "/heartbeat", other->access_token(), ""));
  probe.row("another agent's refresh is refused", "403 foreign_agent",
            co_await probe.post(path + "/refresh", other->refresh_token(), ""));
  probe.row("a heartbeat needs a token", "401", co_await probe.raw(web::Method::post, path + "/heartbeat", {}));
}

async::Task<> check_heartbeats(Probe& probe) {
  probe.area("heartbeat");
  auto* agent = co_await probe.registered("beats");
  const auto id = agent->identity().id, path = "/api/v1/agents/" + id, token = agent->access_token();
  auto empty = co_await probe.raw(web::Method::post, path + "/heartbeat", {{"Authorization", "Bearer " + token}});
  probe.row("an empty heartbeat is enough", "200", empty);
  probe.row("the answer says the server's time", "all there",
            lacking(empty ? json_in(*empty) : json::value(), {"serverTime"}));
  const json::object body{{"environmentId", probe.options().environment},
                          {"capabilities", json::object{{"dropped.buffer_full", 3}}},
                          {"routeStates", json::object{{"r1", "Started"}, {"r2", "Suspended"}}},
                          {"agentTime", format_instant(agent->now() + std::chrono::minutes(5))}};
  probe.row("a heartbeat with everything is taken", "200",
            co_await probe.post(path + "/heartbeat", token, json::serialize(body)));
  const auto shown = co_await shown_agent(probe, id);
  const auto member = [&](std::string_view name) {
    const auto* object = shown.if_object();
    const auto* value = object ? object->if_contains(json::string_view(name.data(), name.size())) : nullptr;
    return value ? *value : json::value();
  };
  probe.row("route states are shown", "Suspended", text_member(member("routeStates"), "r2"));
  probe.row("capabilities are shown", R"({"dropped.buffer_full":3})", json::serialize(member("capabilities")));
  const auto skew = member("clockSkewMs");
  const bool near = skew.is_int64() && std::abs(skew.get_int64() - 300'000) < 30'000;
  probe.row("agentTime gives the clock skew", "about 300000", near ? "about 300000" : json::serialize(skew));
  probe.row("another environment than the token's is refused", "403",
            co_await probe.post(path + "/heartbeat", token, R"({"environmentId":"other"})"));
  probe.row("a route state is a text", "400 invalid_member",
            co_await probe.post(path + "/heartbeat", token, R"({"routeStates":{"r1":7}})"));
  const Probe::Headers version{{"X-Cameleer-Protocol-Version", "9"}};
  probe.row("another protocol version is refused", "400 unsupported_version",
            co_await probe.post(path + "/heartbeat", token, "{}", version));
  auto* other = co_await probe.registered("beats-other");
  probe.row("another agent's deregistration is refused", "403 foreign_agent",
            co_await probe.post(path + "/deregister", other->access_token(), ""));
  probe.row("an agent deregisters", "200", co_await agent->deregister());
  probe.row("it is SHUTDOWN then", "SHUTDOWN", text_member(co_await shown_agent(probe, id), "state"));
  probe.row("a heartbeat brings it back", "200", co_await agent->heartbeat());
  probe.row("it is LIVE again", "LIVE", text_member(co_await shown_agent(probe, id), "state"));
}

}  // namespace cameleer::sim
