#include "services_on_loop.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cameleer/core/embedded.hpp>
#include <cameleer/postgres/migrations.hpp>

namespace cameleer::embedded {
std::span<const File> postgres_migrations();
}

namespace cameleer::test {
namespace {

async::Task<Expected<void>> admit_and_handle(web::Authorizer& authorizer, web::Request& request,
                                             const web::Route& route, web::Response& response) {
  auto admitted = co_await authorizer(request, route);
  if (!admitted) {
    response = web::problem(admitted.error(), request.request_id);
    co_return Expected<void>{};
  }
  response = co_await route.handler(request);
  co_return Expected<void>{};
}

/// `a=1&b=2`, without anything that would have to be decoded.
std::vector<std::pair<std::string, std::string>> query_of(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> query;
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto pair = text.substr(0, end);
    const auto equals = std::min(pair.find('='), pair.size());
    query.emplace_back(pair.substr(0, equals), pair.substr(std::min(equals + 1, pair.size())));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return query;
}

}  // namespace

ServicesOnLoop::ServicesOnLoop(server::AuthSettings auth_options, server::AgentServiceSettings agent_options)
    : schema(unique_name("services")), auth_settings(auth_options), agent_settings(agent_options) {
  pool.emplace(io.get_executor(),
               postgres::PoolOptions{.conninfo = PrivateCluster::shared().conninfo(), .schema = schema});
  auto migrated = run(postgres::migrate(*pool, schema, embedded::postgres_migrations()));
  if (!migrated) throw std::runtime_error(migrated.error().message);
  restart();
}

ServicesOnLoop::~ServicesOnLoop() {
  finish(io, pool->close());
}

void ServicesOnLoop::restart() {
  const Clock clock = [this] { return now; };
  const auto random = identity::system_random();
  agents.reset();
  auth.reset();
  tokens.reset();
  environments.reset();
  audit.reset();
  audit.emplace(*pool, clock);
  environments.emplace(
      *pool, *audit, clock, random,
      server::EnvironmentSettings{.bootstrap_token = "bootstrap-secret", .bootstrap_token_previous = "older"});
  tokens.emplace(keys, *pool, clock, random, server::TokenSettings{});
  auth.emplace(*pool, *audit, workers, *tokens, clock, random, auth_settings);
  agents.emplace(*pool, *tokens, *environments, keys, clock, agent_settings);
  router = web::Router();
  server::add_auth_routes(router, *auth, server::OriginRule("https://cameleer.example"),
                          {.version = "0.1.0", .base_path = "/"});
  server::add_environment_routes(router, *environments);
  server::add_agent_routes(router, *agents);
  if (auto sealed = router.seal(); !sealed) throw std::runtime_error(sealed.error().message);
  authorizer = server::make_authorizer(*auth, *tokens, *environments, server::OriginRule("https://cameleer.example"));
}

web::Response ServicesOnLoop::send(web::Method method, std::string target, std::string body,
                                   std::vector<web::Header> headers) {
  const auto path = target.substr(0, target.find('?'));
  auto match = router.find(method, path);
  if (match.route == nullptr) throw std::runtime_error("no route " + path);
  web::Request request;
  request.method = method;
  request.target = target;
  if (path.size() < target.size()) request.query = query_of(std::string_view(target).substr(path.size() + 1));
  request.path = path;
  request.path_parameters = std::move(match.parameters);
  request.headers = std::move(headers);
  request.headers.push_back({"Host", "localhost:8081"});
  request.body = std::move(body);
  request.body.reserve(request.body.size() + 64);
  request.request_id = "request-1";
  request.remote_address = "127.0.0.1";
  web::Response response;
  (void)run(admit_and_handle(authorizer, request, *match.route, response));
  return response;
}

web::Response ServicesOnLoop::get(std::string path, std::string bearer) {
  std::vector<web::Header> headers;
  if (!bearer.empty()) headers.push_back({"Authorization", "Bearer " + bearer});
  return send(web::Method::get, std::move(path), {}, std::move(headers));
}

web::Response ServicesOnLoop::post(std::string path, std::string body, std::string bearer) {
  std::vector<web::Header> headers;
  if (!bearer.empty()) headers.push_back({"Authorization", "Bearer " + bearer});
  return send(web::Method::post, std::move(path), std::move(body), std::move(headers));
}

std::string ServicesOnLoop::cell(std::string sql) {
  auto result = run(pool->query(std::move(sql)));
  if (!result) throw std::runtime_error(result.error().server_text);
  return result->rows() == 0 ? "" : std::string(result->text(0, 0));
}

void ServicesOnLoop::make_admin() {
  auto made = run(auth->local_accounts().ensure_first(std::string(kPassword)));
  if (!made || !*made) throw std::runtime_error("no first user");
}

std::string member(const web::Response& response, std::string_view name) {
  const auto body = boost::json::parse(response.body).as_object();
  const auto* value = body.if_contains(name);
  if (value == nullptr) return "";
  return value->is_string() ? std::string(value->as_string()) : boost::json::serialize(*value);
}

std::string header(const web::Response& response, std::string_view name) {
  for (const auto& header : response.headers) {
    if (header.name == name) return header.value;
  }
  return "";
}

}  // namespace cameleer::test
