#include "server/executions/executions_routes.hpp"

#include "server/executions/execution_json.hpp"
#include "server/executions/search_parameters.hpp"

namespace cameleer::server {
namespace {

async::Task<web::Response> search(ExecutionsService* service, web::Request& request) {
  auto parameters = read_search(request);
  if (!parameters) co_return web::problem(parameters.error(), request.request_id);
  auto page = co_await service->search(std::string(request.path_parameter("environment")),
                                       std::move(parameters->filter), std::move(parameters->cursor));
  if (!page) co_return web::problem(page.error(), request.request_id);
  co_return web::Response::json(to_json(*page));
}

async::Task<web::Response> find(ExecutionsService* service, web::Request& request) {
  auto at = read_at(request);
  if (!at) co_return web::problem(at.error(), request.request_id);
  auto detail = co_await service->find(std::string(request.path_parameter("environment")),
                                       std::string(request.path_parameter("executionId")), *at);
  if (!detail) co_return web::problem(detail.error(), request.request_id);
  co_return web::Response::json(to_json(*detail));
}

}  // namespace

void add_executions_routes(web::Router& router, ExecutionsService& service) {
  router.add({.method = web::Method::get,
              .pattern = "/api/v1/environments/{environment}/executions",
              .operation_id = "searchExecutions",
              .access = {"view_observability"},
              .handler = [&service](web::Request& request) { return search(&service, request); }});
  router.add({.method = web::Method::get,
              .pattern = "/api/v1/environments/{environment}/executions/{executionId}",
              .operation_id = "getExecution",
              .access = {"view_observability"},
              .handler = [&service](web::Request& request) { return find(&service, request); }});
}

}  // namespace cameleer::server
