#include "server/configuration/configuration_routes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cameleer/web/service_routes.hpp>
#include <charconv>

#include "server/agents/protocol_version.hpp"
#include "server/auth/principal.hpp"

namespace cameleer::server {
namespace {

namespace json = boost::json;
using Apply = ConfigurationService::Apply;

constexpr web::Limits kLimits{.body_bytes = 256 * 1024, .decoded_body_bytes = 256 * 1024};
constexpr std::size_t kMaxApplication = 256;

Expected<std::string> application_in(const web::Request& request) {
  const auto application = request.path_parameter("application");
  if (application.empty() || application.size() > kMaxApplication || application.find('\0') != std::string_view::npos) {
    return fail(ErrorCode::invalid_parameter, "application: must have 1 to 256 bytes without NUL", "application");
  }
  return std::string(application);
}

Expected<Apply> apply_in(const web::Request& request) {
  const auto apply = request.query_value("apply");
  if (!apply || *apply == "live") return Apply::live;
  if (*apply == "staged") return Apply::staged;
  return fail(ErrorCode::invalid_parameter, "apply: must be live or staged", "apply");
}

Expected<std::optional<std::uint64_t>> expected_version_in(const web::Request& request) {
  const auto text = request.query_value("expectedVersion");
  if (!text) return std::nullopt;
  std::int64_t version = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), version);
  if (error != std::errc() || end != text->data() + text->size() || version < 0) {
    return fail(ErrorCode::invalid_parameter, "expectedVersion: must be a whole number from 0", "expectedVersion");
  }
  return static_cast<std::uint64_t>(version);
}

Expected<bool> push_in(const web::Request& request) {
  const auto push = request.query_value("pushToAgents");
  if (!push || *push == "false") return false;
  if (*push == "true") return true;
  return fail(ErrorCode::invalid_parameter, "pushToAgents: must be true or false", "pushToAgents");
}

async::Task<web::Response> read(ConfigurationService& configuration, web::Request& request) {
  auto application = application_in(request);
  if (!application) co_return web::problem(application.error(), request.request_id);
  auto envelope =
      co_await configuration.read(std::string(request.path_parameter("environment")), std::move(*application));
  if (!envelope) co_return web::problem(envelope.error(), request.request_id);
  co_return web::Response::json(std::move(*envelope));
}

async::Task<web::Response> write(ConfigurationService& configuration, web::Request& request) {
  auto application = application_in(request);
  if (!application) co_return web::problem(application.error(), request.request_id);
  const auto apply = apply_in(request);
  if (!apply) co_return web::problem(apply.error(), request.request_id);
  const auto expected = expected_version_in(request);
  if (!expected) co_return web::problem(expected.error(), request.request_id);
  auto config = read_application_config(request.body);
  if (!config) co_return web::problem(config.error(), request.request_id);
  config->environment = request.path_parameter("environment");
  config->application = std::move(*application);
  config->updated_by = principal_of(request).username;
  auto written = co_await configuration.write(std::move(*config), *apply, *expected, actor_of(request));
  if (!written) co_return web::problem(written.error(), request.request_id);
  if (!written->pushed) co_return web::Response::json(std::move(written->envelope));
  auto body = json::parse(written->envelope).as_object();
  body["pushed"] = *written->pushed;
  co_return web::Response::json(json::serialize(body));
}

async::Task<web::Response> read_of_agent(ConfigurationService& configuration, web::Request& request) {
  if (auto version = check_protocol_version(request); !version) {
    co_return web::problem(version.error(), request.request_id);
  }
  const auto& agent = principal_of(request);
  auto envelope =
      co_await configuration.envelope(agent.environment, agent.application, ConfigurationService::Which::applied);
  if (!envelope) co_return web::problem(envelope.error(), request.request_id);
  co_return web::Response::json(std::move(*envelope));
}

json::array array_of(const std::vector<std::string>& keys) {
  json::array array;
  for (const auto& key : keys) array.emplace_back(key);
  return array;
}

json::object keys_as_json(const std::vector<std::string>& keys) {
  json::object body;
  body["keys"] = array_of(keys);
  body["defaultKeys"] = array_of(default_sensitive_keys());
  return body;
}

async::Task<web::Response> read_keys(ConfigurationService& configuration, web::Request& request) {
  auto keys = co_await configuration.global_keys();
  if (!keys) co_return web::problem(keys.error(), request.request_id);
  co_return web::Response::json(json::serialize(keys_as_json(*keys)));
}

async::Task<web::Response> write_keys(ConfigurationService& configuration, web::Request& request) {
  const auto push = push_in(request);
  if (!push) co_return web::problem(push.error(), request.request_id);
  auto keys = read_sensitive_keys(request.body);
  if (!keys) co_return web::problem(keys.error(), request.request_id);
  auto body = keys_as_json(*keys);
  auto pushed = co_await configuration.write_global_keys(std::move(*keys), *push, principal_of(request).username,
                                                         actor_of(request));
  if (!pushed) co_return web::problem(pushed.error(), request.request_id);
  if (*pushed) body["pushed"] = **pushed;
  co_return web::Response::json(json::serialize(body));
}

}  // namespace

void add_configuration_routes(web::Router& router, ConfigurationService& configuration) {
  constexpr auto kConfig = "/api/v1/environments/{environment}/apps/{application}/config";
  constexpr auto kKeys = "/api/v1/admin/sensitive-keys";
  web::add_service_routes(router, configuration, kLimits,
                          {
                              {web::Method::get, kConfig, "getApplicationConfig", "view_runtime", read},
                              {web::Method::put, kConfig, "putApplicationConfig", "edit_config", write},
                              {web::Method::get, "/api/v1/agents/config", "getAgentConfig", "agent", read_of_agent},
                              {web::Method::get, kKeys, "getSensitiveKeys", "manage_server", read_keys},
                              {web::Method::put, kKeys, "putSensitiveKeys", "manage_server", write_keys},
                          });
}

}  // namespace cameleer::server
