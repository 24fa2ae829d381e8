#include "server/agents/agent_routes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cameleer/web/service_routes.hpp>

#include "server/agents/agent_json.hpp"
#include "server/agents/protocol_version.hpp"
#include "server/auth/control_body.hpp"

namespace cameleer::server {
namespace {

namespace json = boost::json;

constexpr web::Limits kLimits{.body_bytes = 256 * 1024, .decoded_body_bytes = 256 * 1024};
constexpr std::size_t kMaxName = 256;
constexpr std::size_t kMaxAgentId = 128;
constexpr std::size_t kMaxSlug = 40;
constexpr std::size_t kMaxVersion = 64;
constexpr std::size_t kMaxRoutes = 10'000;
constexpr std::size_t kMaxCapabilities = 16 * 1024;

bool is_agent_id(std::string_view id) {
  return std::ranges::all_of(id, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._:@-").find(c) != std::string_view::npos;
  });
}

/// `agentTime`: the agent's clock, so that people see when it is wrong.
std::optional<Instant> agent_time_in(ControlBody& body) {
  const auto text = body.optional_text("agentTime", 1, kMaxVersion);
  if (!text) return std::nullopt;
  const auto time = parse_instant(*text);
  if (!time) body.refuse("agentTime", "must be an ISO-8601 instant with an offset");
  return time;
}

Expected<Registration> registration_in(const web::Request& request) {
  if (auto version = check_protocol_version(request); !version) return std::unexpected(version.error());
  ControlBody body(request);
  Registration registration;
  registration.key.id = body.text("agentId", 1, kMaxAgentId);
  if (!is_agent_id(registration.key.id)) body.refuse("agentId", "must consist of letters, digits and . _ : @ -");
  registration.description.application = body.text("application", 1, kMaxName);
  registration.key.environment = body.text("environmentId", 1, kMaxSlug);
  registration.description.display_name = body.optional_text("displayName", 0, kMaxName).value_or(registration.key.id);
  registration.description.version = body.optional_text("version", 0, kMaxVersion).value_or("");
  registration.description.camel_version = body.optional_text("camelVersion", 0, kMaxVersion).value_or("");
  registration.description.runtime = body.optional_text("runtime", 0, kMaxVersion).value_or("");
  registration.description.route_ids = body.texts("routeIds", kMaxRoutes, kMaxName);
  registration.description.capabilities = body.object("capabilities", kMaxCapabilities).value_or("{}");
  registration.agent_time = agent_time_in(body);
  if (body.failure()) return std::unexpected(*body.failure());
  if (registration.description.display_name.empty()) registration.description.display_name = registration.key.id;
  return registration;
}

struct TimedHeartbeat {
  agent::Heartbeat beat;
  std::optional<Instant> agent_time;
};

Expected<TimedHeartbeat> heartbeat_in(const web::Request& request) {
  if (auto version = check_protocol_version(request); !version) return std::unexpected(version.error());
  ControlBody body(request, ControlBody::Empty::allowed);
  const auto environment = body.optional_text("environmentId", 1, kMaxSlug);
  TimedHeartbeat beat{.beat = {.capabilities = body.object("capabilities", kMaxCapabilities),
                               .route_states = body.text_map("routeStates", kMaxRoutes, kMaxName)},
                      .agent_time = agent_time_in(body)};
  if (body.failure()) return std::unexpected(*body.failure());
  if (environment && *environment != principal_of(request).environment) {
    return fail(ErrorCode::forbidden, "/environmentId: the token belongs to another environment", "/environmentId");
  }
  return beat;
}

void put_tokens(json::object& body, const TokenPair& tokens) {
  body["accessToken"] = tokens.access;
  body["refreshToken"] = tokens.refresh;
  body["expiresInSeconds"] = tokens.expires_in.count();
}

web::Response answer(const json::object& body) {
  auto response = web::Response::json(json::serialize(body));
  response.headers.push_back({"Cache-Control", "no-store"});
  return response;
}

async::Task<web::Response> register_agent(AgentService& agents, web::Request& request) {
  auto registration = registration_in(request);
  if (!registration) co_return web::problem(registration.error(), request.request_id);
  const auto id = registration->key.id;
  auto result = co_await agents.register_agent(principal_of(request), std::move(*registration));
  if (!result) co_return problem_of(agents.caps(), result.error(), request.request_id);
  json::object body;
  body["agentId"] = id;
  body["sseEndpoint"] = result->sse_endpoint;
  body["heartbeatIntervalMs"] = result->heartbeat_interval.count();
  put_tokens(body, result->tokens);
  body["tenantId"] = result->tenant_id;
  body["serverPublicKey"] = result->server_public_key;
  body["serverKeyId"] = result->server_key_id;
  body["config"] = parse_json(result->config);
  body["serverTime"] = format_instant(result->server_time);
  co_return answer(body);
}

async::Task<web::Response> refresh(AgentService& agents, web::Request& request) {
  if (auto version = check_protocol_version(request); !version) {
    co_return web::problem(version.error(), request.request_id);
  }
  auto tokens = co_await agents.refresh(principal_of(request));
  if (!tokens) co_return web::problem(tokens.error(), request.request_id);
  json::object body;
  put_tokens(body, *tokens);
  body["serverTime"] = format_instant(agents.now());
  co_return answer(body);
}

async::Task<web::Response> heartbeat(AgentService& agents, web::Request& request) {
  auto beat = heartbeat_in(request);
  if (!beat) co_return web::problem(beat.error(), request.request_id);
  auto now = co_await agents.heartbeat(principal_of(request), std::move(beat->beat), beat->agent_time);
  if (!now) co_return web::problem(now.error(), request.request_id);
  co_return web::Response::json(fmt::format(R"({{"serverTime":"{}"}})", format_instant(*now)));
}

async::Task<web::Response> deregister(AgentService& agents, web::Request& request) {
  if (auto version = check_protocol_version(request); !version) {
    co_return web::problem(version.error(), request.request_id);
  }
  auto done = co_await agents.deregister(principal_of(request));
  if (!done) co_return web::problem(done.error(), request.request_id);
  co_return web::Response::json("{}");
}

async::Task<web::Response> list(AgentService& agents, web::Request& request) {
  auto records = co_await agents.list(std::string(request.path_parameter("environment")));
  if (!records) co_return web::problem(records.error(), request.request_id);
  json::array items;
  for (const auto& record : *records) items.push_back(json_of(record));
  json::object body;
  body["items"] = std::move(items);
  co_return web::Response::json(json::serialize(body));
}

}  // namespace

void add_agent_routes(web::Router& router, AgentService& agents) {
  web::add_service_routes(
      router, agents, kLimits,
      {
          {web::Method::post, "/api/v1/agents/register", "registerAgent", "api_key", register_agent},
          {web::Method::post, "/api/v1/agents/{agentId}/refresh", "refreshAgentToken", "agent_refresh", refresh},
          {web::Method::post, "/api/v1/agents/{agentId}/heartbeat", "heartbeat", "agent", heartbeat},
          {web::Method::post, "/api/v1/agents/{agentId}/deregister", "deregisterAgent", "agent", deregister},
          {web::Method::get, "/api/v1/environments/{environment}/agents", "listAgents", "view_runtime", list},
      });
}

}  // namespace cameleer::server
