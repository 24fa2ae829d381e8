#include "configuration_fixture.hpp"

#include <fmt/format.h>

namespace cameleer::test {
namespace {

async::Task<Expected<std::size_t>> push(ConfigurationFixture* fixture, std::string target) {
  if (fixture->push_failure) co_return std::unexpected(*fixture->push_failure);
  fixture->pushed.push_back(std::move(target));
  co_return std::size_t{2};
}

server::AgentServiceSettings settings(ConfigurationFixture* fixture) {
  server::AgentServiceSettings settings;
  settings.config_of = [fixture](std::string environment, std::string application) {
    return fixture->configuration.envelope(std::move(environment), std::move(application),
                                           server::ConfigurationService::Which::latest);
  };
  return settings;
}

}  // namespace

ConfigurationFixture::ConfigurationFixture()
    : ServicesOnLoop({}, settings(this)),
      api_key(run(environments->ensure_first()).value().value()),
      configuration(*pool, *audit, *environments, *agents, [this] { return now; }) {
  make_admin();
  cell("insert into environments values (gen_random_uuid(), 'staging', 'Staging', now())");
  configuration.on_change([this](std::string environment, std::string application, std::string user) {
    return push(this, environment + "/" + application + " by " + user);
  });
  router = web::Router();
  server::add_environment_routes(router, *environments);
  server::add_agent_routes(router, *agents);
  server::add_configuration_routes(router, configuration);
  if (auto sealed = router.seal(); !sealed) throw std::runtime_error(sealed.error().message);
}

web::Response ConfigurationFixture::put(std::string path, std::string body, std::string bearer) {
  return send(web::Method::put, std::move(path), std::move(body), {{"Authorization", "Bearer " + bearer}});
}

std::string ConfigurationFixture::register_agent(const std::string& id, const std::string& application,
                                                 const std::string& environment) {
  auto key = environment == "default" ? api_key : run(environments->create_key(environment, "test")).value().secret;
  const auto answer =
      post("/api/v1/agents/register",
           fmt::format(R"({{"agentId":"{}","application":"{}","environmentId":"{}"}})", id, application, environment),
           std::move(key));
  if (answer.status != 200) throw std::runtime_error(answer.body);
  return member(answer, "accessToken");
}

std::string ConfigurationFixture::token_of_role(const std::string& role) {
  cell("update user_roles set role_id = (select role_id from roles where name = '" + role + "')");
  now += std::chrono::seconds(5);
  return run(auth->issue_tokens("admin", std::string(kPassword), "a")).value().access;
}

std::string ConfigurationFixture::in_envelope(server::ConfigurationService::Which which, std::string_view name,
                                              const std::string& application, const std::string& environment) {
  return member(web::Response::json(run(configuration.envelope(environment, application, which)).value()), name);
}

std::string ConfigurationFixture::write(const std::string& json, server::ConfigurationService::Apply apply,
                                        std::optional<std::uint64_t> expected, const std::string& application) {
  auto config = read_application_config(json).value();
  config.environment = "default";
  config.application = application;
  config.updated_by = "tester";
  auto written = run(configuration.write(std::move(config), apply, expected));
  if (!written) return std::string(name_of(written.error().code));
  return member(web::Response::json(written->envelope), "version");
}

}  // namespace cameleer::test
