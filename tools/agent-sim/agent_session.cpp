#include "agent-sim/agent_session.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace cameleer::sim {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto kDeadline = 15s;

web::Header bearer(std::string_view token) {
  return {"Authorization", fmt::format("Bearer {}", token)};
}

web::Header json_type() {
  return {"Content-Type", "application/json"};
}

std::shared_ptr<web::Client> make_client(async::Executor executor, const web::Endpoint& endpoint, std::size_t most) {
  return std::make_shared<web::Client>(executor, endpoint,
                                       web::ClientOptions{.max_connections = most, .tls_ca_file = {}});
}

}  // namespace

json::value json_in(const web::ClientResponse& answer) {
  json::parse_options options;
  options.max_depth = 256;
  boost::system::error_code error;
  auto value = json::parse(answer.body, error, {}, options);
  return error ? json::value() : value;
}

std::string text_member(const json::value& value, std::string_view name) {
  const auto* object = value.if_object();
  const auto* member = object ? object->if_contains(json::string_view(name.data(), name.size())) : nullptr;
  const auto* text = member ? member->if_string() : nullptr;
  return text ? std::string(text->data(), text->size()) : std::string();
}

AgentSession::AgentSession(async::Executor executor, web::Endpoint endpoint, AgentIdentity identity,
                           std::size_t connections)
    : executor_(executor),
      endpoint_(std::move(endpoint)),
      identity_(std::move(identity)),
      // One more, for heartbeats and what is sent twice.
      connections_(connections + 1),
      client_(make_client(executor_, endpoint_, connections_)) {}

Instant AgentSession::now() const {
  const auto now = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  return now + identity_.clock_skew;
}

void AgentSession::reconnect() {
  client_ = make_client(executor_, endpoint_, connections_);
}

async::Task<Expected<web::ClientResponse>> AgentSession::send(web::ClientRequest request) {
  request.headers.push_back(bearer(access_token_));
  const auto client = client_;
  co_return co_await client->send(std::move(request));
}

bool AgentSession::take_tokens(const web::ClientResponse& answer) {
  const auto body = json_in(answer);
  auto access = text_member(body, "accessToken"), refresh = text_member(body, "refreshToken");
  if (answer.status != 200 || access.empty() || refresh.empty()) return false;
  access_token_ = std::move(access);
  refresh_token_ = std::move(refresh);
  return true;
}

async::Task<Expected<web::ClientResponse>> AgentSession::register_agent() {
  json::array routes;
  for (const auto& route : identity_.routes) routes.emplace_back(route);
  const json::object body{{"agentId", identity_.id},
                          {"displayName", identity_.id},
                          {"application", identity_.application},
                          {"environmentId", identity_.environment},
                          {"version", "1.0"},
                          {"camelVersion", "4.22.0"},
                          {"runtime", "agent-sim"},
                          {"routeIds", std::move(routes)},
                          {"capabilities", json::object{}},
                          {"agentTime", format_instant(now())}};
  const auto client = client_;
  auto answer = co_await client->send({.method = web::Method::post,
                                       .target = "/api/v1/agents/register",
                                       .headers = {bearer(identity_.api_key), json_type()},
                                       .body = json::serialize(body),
                                       .deadline = kDeadline});
  if (answer && take_tokens(*answer)) {
    ++registrations_;
    registration_ = json_in(*answer);
    const auto* interval = registration_.as_object().if_contains("heartbeatIntervalMs");
    if (interval && interval->is_int64()) heartbeat_interval_ = std::chrono::milliseconds(interval->get_int64());
  }
  co_return answer;
}

async::Task<bool> AgentSession::renew(std::string refused) {
  while (renewing_) co_await async::sleep_for(executor_, 5ms);
  if (access_token_ != refused) co_return true;
  renewing_ = true;
  const auto client = client_;
  auto answer =
      co_await client->send({.method = web::Method::post,
                             .target = fmt::format("/api/v1/agents/{}/refresh", web::percent_encode(identity_.id)),
                             .headers = {bearer(refresh_token_)},
                             .deadline = kDeadline});
  bool renewed = answer && take_tokens(*answer);
  if (renewed) {
    ++refreshes_;
  } else if (answer && answer->status < 500) {
    auto registered = co_await register_agent();
    renewed = registered && registered->status == 200;
  }
  renewing_ = false;
  co_return renewed;
}

async::Task<Expected<web::ClientResponse>> AgentSession::heartbeat() {
  json::object states;
  for (const auto& route : identity_.routes) states[route] = "Started";
  const json::object body{{"environmentId", identity_.environment},
                          {"routeStates", std::move(states)},
                          {"agentTime", format_instant(now())}};
  co_return co_await send({.method = web::Method::post,
                           .target = fmt::format("/api/v1/agents/{}/heartbeat", web::percent_encode(identity_.id)),
                           .headers = {json_type()},
                           .body = json::serialize(body),
                           .deadline = kDeadline});
}

async::Task<Expected<web::ClientResponse>> AgentSession::deregister() {
  co_return co_await send({.method = web::Method::post,
                           .target = fmt::format("/api/v1/agents/{}/deregister", web::percent_encode(identity_.id)),
                           .deadline = kDeadline});
}

}  // namespace cameleer::sim
