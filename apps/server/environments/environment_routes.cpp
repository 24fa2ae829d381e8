#include "server/environments/environment_routes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace cameleer::server {
namespace {

async::Task<web::Response> list_environments(EnvironmentService& environments, web::Request& request) {
  auto all = co_await environments.list();
  if (!all) co_return web::problem(all.error(), request.request_id);
  boost::json::array items;
  for (const auto& environment : *all) {
    boost::json::object item;
    item["slug"] = environment.slug;
    item["displayName"] = environment.display_name;
    items.push_back(std::move(item));
  }
  boost::json::object body;
  body["items"] = std::move(items);
  co_return web::Response::json(boost::json::serialize(body));
}

}  // namespace

void add_environment_routes(web::Router& router, EnvironmentService& environments) {
  router.add({.method = web::Method::get,
              .pattern = "/api/v1/environments",
              .operation_id = "listEnvironments",
              .access = {"view_observability"},
              .handler = [&environments](web::Request& request) { return list_environments(environments, request); }});
}

}  // namespace cameleer::server
