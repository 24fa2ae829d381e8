#include "server/environments/environment_routes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cameleer/core/json_members.hpp>

namespace cameleer::server {
namespace {

namespace json = boost::json;

constexpr web::Limits kLimits{.body_bytes = 16 * 1024, .decoded_body_bytes = 16 * 1024};
constexpr std::size_t kMaxLabel = 256;
constexpr std::size_t kMaxDepth = 64;

std::string environment_in(const web::Request& request) {
  return std::string(request.path_parameter("environment"));
}

async::Task<web::Response> list_environments(EnvironmentService& environments, web::Request& request) {
  auto all = co_await environments.list();
  if (!all) co_return web::problem(all.error(), request.request_id);
  json::array items;
  for (const auto& environment : *all) {
    json::object item;
    item["slug"] = environment.slug;
    item["displayName"] = environment.display_name;
    items.push_back(std::move(item));
  }
  json::object body;
  body["items"] = std::move(items);
  co_return web::Response::json(json::serialize(body));
}

json::object json_of(const KeyDescription& key) {
  json::object item;
  item["id"] = key.id;
  item["label"] = key.label;
  item["prefix"] = key.prefix;
  item["status"] = key.status;
  item["createdAt"] = format_instant(key.created_at);
  if (key.revoked_at) item["revokedAt"] = format_instant(*key.revoked_at);
  return item;
}

async::Task<web::Response> list_keys(EnvironmentService& environments, web::Request& request) {
  auto keys = co_await environments.list_keys(environment_in(request));
  if (!keys) co_return web::problem(keys.error(), request.request_id);
  json::array items;
  for (const auto& key : *keys) items.push_back(json_of(key));
  json::object body;
  body["items"] = std::move(items);
  co_return web::Response::json(json::serialize(body));
}

Expected<std::string> label_in(std::string_view body) {
  simdjson::dom::parser parser;
  simdjson::dom::element root, label;
  simdjson::dom::object object;
  if (parser.allocate(std::max<std::size_t>(body.size(), 64), kMaxDepth) != simdjson::SUCCESS ||
      parser.parse(body.data(), body.size(), /*realloc_if_needed=*/true).get(root) != simdjson::SUCCESS ||
      root.get(object) != simdjson::SUCCESS) {
    return fail(ErrorCode::malformed_body, "The body must be a JSON object.");
  }
  JsonMembers members;
  std::string text;
  if (object.at_key("label").get(label) == simdjson::SUCCESS && !members.name("label", label, text, kMaxLabel)) {
    return std::unexpected(std::move(*members.error));
  }
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
    members.refuse("label", "is required and must not be blank");
    return std::unexpected(std::move(*members.error));
  }
  return text;
}

async::Task<web::Response> create_key(EnvironmentService& environments, web::Request& request) {
  auto label = label_in(request.body);
  if (!label) co_return web::problem(label.error(), request.request_id);
  auto key = co_await environments.create_key(environment_in(request), std::move(*label), actor_of(request));
  if (!key) co_return web::problem(key.error(), request.request_id);
  auto body = json_of(key->description);
  body["secret"] = key->secret;
  auto response = web::Response::json(json::serialize(body), 201);
  response.headers.push_back({"Cache-Control", "no-store"});
  co_return response;
}

async::Task<web::Response> revoke_key(EnvironmentService& environments, web::Request& request) {
  auto revoked = co_await environments.revoke_key(environment_in(request), std::string(request.path_parameter("keyId")),
                                                  actor_of(request));
  if (!revoked) co_return web::problem(revoked.error(), request.request_id);
  co_return web::Response::empty(204);
}

}  // namespace

void add_environment_routes(web::Router& router, EnvironmentService& environments) {
  struct Row {
    web::Method method;
    const char* pattern;
    const char* operation_id;
    std::string_view access;
    async::Task<web::Response> (*handler)(EnvironmentService&, web::Request&);
  };
  constexpr auto kKeys = "/api/v1/admin/environments/{environment}/api-keys";
  const Row rows[] = {
      {web::Method::get, "/api/v1/environments", "listEnvironments", "view_observability", list_environments},
      {web::Method::get, kKeys, "listApiKeys", "manage_api_keys", list_keys},
      {web::Method::post, kKeys, "createApiKey", "manage_api_keys", create_key},
      {web::Method::del, "/api/v1/admin/environments/{environment}/api-keys/{keyId}", "revokeApiKey", "manage_api_keys",
       revoke_key},
  };
  for (const auto& row : rows) {
    router.add({.method = row.method,
                .pattern = row.pattern,
                .operation_id = row.operation_id,
                .access = {row.access},
                .limits = kLimits,
                .handler = [&environments, handler = row.handler](web::Request& request) {
                  return handler(environments, request);
                }});
  }
}

}  // namespace cameleer::server
