#include "server/environments/environment_routes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cameleer/web/service_routes.hpp>

#include "server/environments/environment_body.hpp"

namespace cameleer::server {
namespace {

namespace json = boost::json;

constexpr web::Limits kLimits{.body_bytes = 16 * 1024, .decoded_body_bytes = 16 * 1024};

std::string environment_in(const web::Request& request) {
  return std::string(request.path_parameter("environment"));
}

json::object brief_json_of(const Environment& environment) {
  json::object item;
  item["slug"] = environment.slug;
  item["displayName"] = environment.display_name;
  return item;
}

json::object json_of(const ByKind<EffectiveDays>& retention) {
  json::object kinds;
  for (const auto kind : telemetry_kinds) {
    kinds[name_of(kind)] =
        json::object{{"days", retention[kind].days.count()}, {"decidedBy", name_of(retention[kind].decided_by)}};
  }
  return kinds;
}

json::object json_of(const EnvironmentService& environments, const Environment& environment) {
  auto item = brief_json_of(environment);
  item["id"] = environment.id;
  const auto number = [&](const char* name, const std::optional<std::int64_t>& value) {
    if (value) item[name] = *value;
  };
  number("executionRetentionDays", environment.execution_retention_days);
  number("logRetentionDays", environment.log_retention_days);
  number("metricRetentionDays", environment.metric_retention_days);
  number("jarRetentionCount", environment.jar_retention_count);
  if (const auto* retention = environments.retention()) {
    item["effectiveRetention"] = json_of(retention->effective(wished_days_of(environment)));
  }
  item["createdAt"] = format_instant(environment.created_at);
  return item;
}

template <class JsonOf>
async::Task<web::Response> list_as(EnvironmentService& environments, web::Request& request, JsonOf to_json) {
  auto all = co_await environments.list();
  if (!all) co_return web::problem(all.error(), request.request_id);
  json::array items;
  for (const auto& environment : *all) items.push_back(to_json(environment));
  json::object body;
  body["items"] = std::move(items);
  co_return web::Response::json(json::serialize(body));
}

async::Task<web::Response> list_briefly(EnvironmentService& environments, web::Request& request) {
  return list_as(environments, request, &brief_json_of);
}

async::Task<web::Response> list(EnvironmentService& environments, web::Request& request) {
  return list_as(environments, request,
                 [&environments](const Environment& environment) { return json_of(environments, environment); });
}

web::Response answer(const EnvironmentService& environments, const Expected<Environment>& environment,
                     const web::Request& request) {
  if (!environment) return web::problem(environment.error(), request.request_id);
  return web::Response::json(json::serialize(json_of(environments, *environment)));
}

async::Task<web::Response> get(EnvironmentService& environments, web::Request& request) {
  co_return answer(environments, co_await environments.find(environment_in(request)), request);
}

async::Task<web::Response> create(EnvironmentService& environments, web::Request& request) {
  auto wanted = read_environment(request.body);
  if (!wanted) co_return web::problem(wanted.error(), request.request_id);
  if (!is_environment_slug(wanted->slug)) {
    const Error error{ErrorCode::invalid_member,
                      "Member /slug must be 1 to 40 of a-z, 0-9 and -, with no hyphen at either end.", "/slug"};
    co_return web::problem(error, request.request_id);
  }
  auto created = co_await environments.create(std::move(wanted->slug), std::move(wanted->change), actor_of(request));
  if (!created) co_return problem_of(environments.caps(), created.error(), request.request_id);
  auto body = json_of(environments, created->environment);
  body["apiKey"] = json_of(created->key);
  auto response = web::Response::json(json::serialize(body), 201);
  response.headers.push_back({"Cache-Control", "no-store"});
  co_return response;
}

async::Task<web::Response> update(EnvironmentService& environments, web::Request& request) {
  auto wanted = read_environment(request.body);
  if (!wanted) co_return web::problem(wanted.error(), request.request_id);
  auto updated = co_await environments.update(environment_in(request), std::move(wanted->change), actor_of(request));
  co_return answer(environments, updated, request);
}

async::Task<web::Response> remove(EnvironmentService& environments, web::Request& request) {
  auto slug = environment_in(request);
  if (request.query_value("confirm").value_or("") != slug) {
    const Error error{ErrorCode::invalid_parameter,
                      "confirm: must repeat the environment's name, for all that belongs to it goes with it.",
                      "confirm"};
    co_return web::problem(error, request.request_id);
  }
  auto removed = co_await environments.remove(std::move(slug), actor_of(request));
  if (!removed) co_return web::problem(removed.error(), request.request_id);
  co_return web::Response::empty(204);
}

}  // namespace

void add_environment_routes(web::Router& router, EnvironmentService& environments) {
  constexpr auto kAll = "/api/v1/admin/environments", kOne = "/api/v1/admin/environments/{environment}";
  web::add_service_routes(
      router, environments, kLimits,
      {
          {web::Method::get, "/api/v1/environments", "listEnvironments", "view_observability", list_briefly},
          {web::Method::get, kAll, "listEnvironmentSettings", "manage_environments", list},
          {web::Method::post, kAll, "createEnvironment", "manage_environments", create},
          {web::Method::get, kOne, "getEnvironment", "manage_environments", get},
          {web::Method::put, kOne, "updateEnvironment", "manage_environments", update},
          {web::Method::del, kOne, "deleteEnvironment", "manage_environments", remove},
      });
  add_api_key_routes(router, environments);
}

}  // namespace cameleer::server
