#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cameleer/web/service_routes.hpp>

#include "server/environments/environment_body.hpp"
#include "server/environments/environment_routes.hpp"

namespace cameleer::server {
namespace {

namespace json = boost::json;

constexpr web::Limits kLimits{.body_bytes = 16 * 1024, .decoded_body_bytes = 16 * 1024};

std::string environment_in(const web::Request& request) {
  return std::string(request.path_parameter("environment"));
}

std::string key_in(const web::Request& request) {
  return std::string(request.path_parameter("keyId"));
}

json::object json_of(const KeyDescription& key) {
  json::object item;
  item["id"] = key.id;
  item["label"] = key.label;
  item["prefix"] = key.prefix;
  item["status"] = key.status;
  item["createdAt"] = format_instant(key.created_at);
  const auto instant = [&](const char* name, const std::optional<Instant>& value) {
    if (value) item[name] = format_instant(*value);
  };
  instant("expiresAt", key.expires_at);
  instant("revokedAt", key.revoked_at);
  instant("lastUsedAt", key.last_used_at);
  return item;
}

web::Response with_secret(const json::object& body) {
  auto response = web::Response::json(json::serialize(body), 201);
  response.headers.push_back({"Cache-Control", "no-store"});
  return response;
}

async::Task<web::Response> list(EnvironmentService& environments, web::Request& request) {
  auto keys = co_await environments.list_keys(environment_in(request));
  if (!keys) co_return web::problem(keys.error(), request.request_id);
  json::array items;
  for (const auto& key : *keys) items.push_back(json_of(key));
  json::object body;
  body["items"] = std::move(items);
  co_return web::Response::json(json::serialize(body));
}

async::Task<web::Response> create(EnvironmentService& environments, web::Request& request) {
  auto label = read_label(request.body);
  if (!label) co_return web::problem(label.error(), request.request_id);
  auto key = co_await environments.create_key(environment_in(request), std::move(*label), actor_of(request));
  if (!key) co_return web::problem(key.error(), request.request_id);
  co_return with_secret(server::json_of(*key));
}

async::Task<web::Response> rotate(EnvironmentService& environments, web::Request& request) {
  auto rotated = co_await environments.rotate_key(environment_in(request), key_in(request), actor_of(request));
  if (!rotated) co_return web::problem(rotated.error(), request.request_id);
  auto body = server::json_of(rotated->successor);
  body["rotated"] = json_of(rotated->old);
  co_return with_secret(body);
}

async::Task<web::Response> revoke(EnvironmentService& environments, web::Request& request) {
  auto revoked = co_await environments.revoke_key(environment_in(request), key_in(request), actor_of(request));
  if (!revoked) co_return web::problem(revoked.error(), request.request_id);
  co_return web::Response::empty(204);
}

}  // namespace

json::object json_of(const EnvironmentService::NewKey& key) {
  auto body = json_of(key.description);
  body["secret"] = key.secret;
  return body;
}

void add_api_key_routes(web::Router& router, EnvironmentService& environments) {
  constexpr auto kKeys = "/api/v1/admin/environments/{environment}/api-keys",
                 kKey = "/api/v1/admin/environments/{environment}/api-keys/{keyId}",
                 kRotate = "/api/v1/admin/environments/{environment}/api-keys/{keyId}/rotate";
  web::add_service_routes(router, environments, kLimits,
                          {
                              {web::Method::get, kKeys, "listApiKeys", "manage_api_keys", list},
                              {web::Method::post, kKeys, "createApiKey", "manage_api_keys", create},
                              {web::Method::post, kRotate, "rotateApiKey", "manage_api_keys", rotate},
                              {web::Method::del, kKey, "revokeApiKey", "manage_api_keys", revoke},
                          });
}

}  // namespace cameleer::server
