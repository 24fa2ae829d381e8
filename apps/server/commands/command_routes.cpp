#include "server/commands/command_routes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cameleer/web/event_stream.hpp>
#include <cameleer/web/service_routes.hpp>

#include "server/agents/protocol_version.hpp"
#include "server/auth/control_body.hpp"

namespace cameleer::server {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxCommand = 3u << 19;  // 1.5 MiB
constexpr std::size_t kMaxAck = 512u << 10;
constexpr std::size_t kMaxAckData = 256u << 10;
constexpr std::size_t kMaxAckMessage = 4096;
constexpr std::size_t kMaxTypeName = 64;

std::optional<std::string> environment_in(const web::Request& request) {
  const auto value = request.query_value("environment");
  return value && !value->empty() ? std::optional<std::string>(*value) : std::nullopt;
}

web::Response refused(const Error& error, const web::Request& request) {
  auto response = web::problem(error, request.request_id);
  if (response.status == 503) response.headers.push_back({"Retry-After", "2"});
  return response;
}

Expected<CommandService::Order> order_in(const web::Request& request) {
  ControlBody body(request);
  const auto name = body.text("type", 1, kMaxTypeName);
  const auto type = command::type_of(name);
  if (!type) body.refuse("type", "must be the name of a command");
  const auto payload = body.object("payload", kMaxCommand);
  if (!payload && type != command::Type::config_update) body.refuse("payload", "is required");
  if (body.failure()) return std::unexpected(*body.failure());
  auto checked = command::read_body(*type, payload.value_or("{}"));
  if (!checked) return std::unexpected(checked.error());
  return CommandService::Order{.type = *type,
                               .body = std::move(*checked),
                               .issued_by = principal_of(request).username,
                               .actor = actor_of(request)};
}

/// The request's body is the payload itself.
Expected<CommandService::Order> replay_in(const web::Request& request) {
  const ControlBody body(request);
  if (body.failure()) return std::unexpected(*body.failure());
  auto checked = command::read_body(command::Type::replay, request.body);
  if (checked) {
    return CommandService::Order{.type = command::Type::replay,
                                 .body = std::move(*checked),
                                 .issued_by = principal_of(request).username,
                                 .actor = actor_of(request)};
  }
  constexpr std::string_view kPayload = "/payload";
  auto error = std::move(checked.error());
  for (auto* text : {&error.member, &error.message}) {
    if (const auto at = text->find(kPayload); at != std::string::npos) text->erase(at, kPayload.size());
  }
  return std::unexpected(std::move(error));
}

json::object issued_as_json(const CommandRecord& record) {
  return {{"commandId", record.id},
          {"agentId", record.agent.id},
          {"state", command::name_of(record.state)},
          {"expiresAt", format_instant(record.expires_at)}};
}

web::Response accepted(std::span<const CommandRecord> records) {
  json::array list;
  for (const auto& record : records) list.emplace_back(issued_as_json(record));
  json::object body;
  body["commands"] = std::move(list);
  return web::Response::json(json::serialize(body), 202);
}

void put_result(json::object& body, const CommandRecord& record) {
  if (record.message) body["message"] = *record.message;
  json::parse_options options;
  options.max_depth = 128;
  if (record.data) body["data"] = json::parse(*record.data, {}, options);
}

web::Response settled(const CommandRecord& record) {
  json::object body{{"commandId", record.id}, {"agentId", record.agent.id}, {"state", command::name_of(record.state)}};
  put_result(body, record);
  return web::Response::json(json::serialize(body));
}

async::Task<web::Response> wait(CommandService& commands, CommandRecord issued, web::Request& request) {
  auto done = co_await commands.wait_for_ack(std::move(issued));
  if (!done) co_return refused(done.error(), request);
  co_return settled(*done);
}

async::Task<web::Response> send_to_agent(CommandService& commands, web::Request& request) {
  auto order = order_in(request);
  if (!order) co_return refused(order.error(), request);
  const bool waits = order->type == command::Type::test_expression;
  auto issued = co_await commands.send(std::string(request.path_parameter("agentId")), environment_in(request),
                                       std::move(*order));
  if (!issued) co_return refused(issued.error(), request);
  if (waits) co_return co_await wait(commands, std::move(*issued), request);
  co_return accepted(std::span(&*issued, 1));
}

async::Task<web::Response> replay(CommandService& commands, web::Request& request) {
  auto order = replay_in(request);
  if (!order) co_return refused(order.error(), request);
  auto issued = co_await commands.send(std::string(request.path_parameter("agentId")), environment_in(request),
                                       std::move(*order));
  if (!issued) co_return refused(issued.error(), request);
  co_return co_await wait(commands, std::move(*issued), request);
}

async::Task<web::Response> send_to_many(CommandService& commands, web::Request& request,
                                        std::optional<std::string> application) {
  auto environment = environment_in(request);
  if (!environment) {
    co_return refused({ErrorCode::invalid_parameter, "Say which environment's agents.", "environment"}, request);
  }
  auto order = order_in(request);
  if (!order) co_return refused(order.error(), request);
  auto issued = co_await commands.send_to_all(std::move(*environment), std::move(application), std::move(*order));
  if (!issued) co_return refused(issued.error(), request);
  co_return accepted(*issued);
}

async::Task<web::Response> send_to_application(CommandService& commands, web::Request& request) {
  co_return co_await send_to_many(commands, request, std::string(request.path_parameter("application")));
}

async::Task<web::Response> send_to_environment(CommandService& commands, web::Request& request) {
  co_return co_await send_to_many(commands, request, std::nullopt);
}

async::Task<web::Response> get(CommandService& commands, web::Request& request) {
  auto found = co_await commands.get(std::string(request.path_parameter("agentId")), environment_in(request),
                                     std::string(request.path_parameter("commandId")));
  if (!found) co_return refused(found.error(), request);
  json::object body{{"commandId", found->id},
                    {"agentId", found->agent.id},
                    {"application", found->application},
                    {"environment", found->agent.environment},
                    {"type", command::name_of(found->type)},
                    {"state", command::name_of(found->state)},
                    {"issuedBy", found->issued_by},
                    {"issuedAt", format_instant(found->issued_at)},
                    {"expiresAt", format_instant(found->expires_at)}};
  if (found->delivered_at) body["deliveredAt"] = format_instant(*found->delivered_at);
  if (found->settled_at) body["settledAt"] = format_instant(*found->settled_at);
  put_result(body, *found);
  co_return web::Response::json(json::serialize(body));
}

Expected<CommandResult> result_in(const web::Request& request) {
  if (auto version = check_protocol_version(request); !version) return std::unexpected(version.error());
  ControlBody body(request);
  const auto status = body.text("status", 1, kMaxTypeName);
  if (status != "SUCCESS" && status != "FAILURE") body.refuse("status", "must be SUCCESS or FAILURE");
  CommandResult result{.state = status == "SUCCESS" ? command::State::acknowledged : command::State::failed,
                       .message = body.optional_text("message", 0, kMaxAckMessage),
                       .data = body.object("data", kMaxAckData)};
  if (body.failure()) return std::unexpected(*body.failure());
  return result;
}

async::Task<web::Response> acknowledge(CommandService& commands, web::Request& request) {
  auto result = result_in(request);
  if (!result) co_return refused(result.error(), request);
  const std::string id(request.path_parameter("commandId"));
  auto state = co_await commands.acknowledge(principal_of(request), id, std::move(*result));
  if (!state) co_return refused(state.error(), request);
  const json::object body{{"commandId", id}, {"state", command::name_of(*state)}};
  co_return web::Response::json(json::serialize(body));
}

async::Task<> nothing(web::BodyWriter& /*writer*/) {
  co_return;
}

async::Task<web::Response> events(CommandService& commands, web::Request& request) {
  if (auto version = check_protocol_version(request); !version) co_return refused(version.error(), request);
  CommandService::StreamWriter writer = nothing;
  // HEAD asks what GET would answer, and must not end the agent's stream.
  if (request.method == web::Method::get) {
    auto opened = co_await commands.open_stream(principal_of(request), std::string(request.header("Last-Event-ID")));
    if (!opened) co_return refused(opened.error(), request);
    writer = std::move(*opened);
  }
  auto response = web::event_stream(std::move(writer));
  response.headers.push_back({"Cache-Control", "no-store"});
  co_return response;
}

}  // namespace

void add_command_routes(web::Router& router, CommandService& commands) {
  constexpr auto post = web::Method::post;
  // Longer than a caller waits for an acknowledgement.
  web::add_service_routes(
      router, commands, {.handling = std::chrono::seconds(40)},
      {
          {post, "/api/v1/agents/{agentId}/commands", "sendCommand", "send_commands", send_to_agent, kMaxCommand},
          {post, "/api/v1/agents/groups/{application}/commands", "sendCommandToApplication", "send_commands",
           send_to_application, kMaxCommand},
          {post, "/api/v1/agents/commands", "sendCommandToEnvironment", "send_commands", send_to_environment,
           kMaxCommand},
          {post, "/api/v1/agents/{agentId}/replay", "replayExecution", "send_commands", replay, kMaxCommand},
          {web::Method::get, "/api/v1/agents/{agentId}/commands/{commandId}", "getCommand", "view_runtime", get,
           kMaxCommand},
          {post, "/api/v1/agents/{agentId}/commands/{commandId}/ack", "acknowledgeCommand", "agent", acknowledge,
           kMaxAck},
          {web::Method::get, "/api/v1/agents/{agentId}/events", "streamCommands", "agent_stream", events, kMaxAck},
      });
}

}  // namespace cameleer::server
