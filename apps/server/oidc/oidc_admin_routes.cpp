#include "server/oidc/oidc_admin_routes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace cameleer::server {
namespace {

namespace json = boost::json;
using Service = OidcConfigurationService;

web::Response view_response(const Service::View& view) {
  auto body = json_of(view.fields);
  body["enabled"] = view.fields.issuer_uri.has_value();
  body["clientSecretSet"] = view.fields.client_secret.has_value();
  json::array fixed;
  for (const auto member : view.fixed) fixed.emplace_back(json::string(member));
  body["fixed"] = std::move(fixed);
  auto response = web::Response::json(json::serialize(body));
  response.headers.push_back({"Cache-Control", "no-store"});
  return response;
}

async::Task<web::Response> show(Service& service, web::Request& request) {
  auto view = co_await service.view();
  if (!view) co_return web::problem(view.error(), request.request_id);
  co_return view_response(*view);
}

async::Task<web::Response> replace(Service& service, web::Request& request) {
  ControlBody body(request);
  auto fields = read_fields(body);
  if (body.failure()) co_return web::problem(*body.failure(), request.request_id);
  auto view = co_await service.replace(std::move(fields), actor_of(request));
  if (!view) co_return web::problem(view.error(), request.request_id);
  co_return view_response(*view);
}

async::Task<web::Response> remove(Service& service, web::Request& request) {
  auto removed = co_await service.remove(actor_of(request));
  if (!removed) co_return web::problem(removed.error(), request.request_id);
  co_return web::Response::empty(204);
}

async::Task<web::Response> test(Service& service, web::Request& request) {
  std::optional<OidcFields> fields;
  if (!request.body.empty()) {
    ControlBody body(request);
    fields = read_fields(body);
    if (body.failure()) co_return web::problem(*body.failure(), request.request_id);
  }
  auto checks = co_await service.test(std::move(fields));
  if (!checks) co_return web::problem(checks.error(), request.request_id);
  json::array steps;
  bool ok = true;
  for (const auto& check : *checks) {
    ok = ok && check.ok;
    steps.push_back(json::object{{"step", check.step}, {"ok", check.ok}, {"detail", check.detail}});
  }
  co_return web::Response::json(json::serialize(json::object{{"ok", ok}, {"steps", std::move(steps)}}));
}

}  // namespace

void add_oidc_admin_routes(web::Router& router, OidcConfigurationService& configuration) {
  struct Row {
    web::Method method;
    const char* pattern;
    const char* operation_id;
    async::Task<web::Response> (*handler)(Service&, web::Request&);
  };
  const Row rows[] = {
      {web::Method::get, "/api/v1/admin/oidc", "getOidcConfiguration", show},
      {web::Method::put, "/api/v1/admin/oidc", "replaceOidcConfiguration", replace},
      {web::Method::del, "/api/v1/admin/oidc", "deleteOidcConfiguration", remove},
      {web::Method::post, "/api/v1/admin/oidc/test", "testOidcConfiguration", test},
  };
  for (const auto& row : rows) {
    router.add({.method = row.method,
                .pattern = row.pattern,
                .operation_id = row.operation_id,
                .access = {"manage_server"},
                .handler = [&configuration, handler = row.handler](web::Request& request) {
                  return handler(configuration, request);
                }});
  }
}

}  // namespace cameleer::server
