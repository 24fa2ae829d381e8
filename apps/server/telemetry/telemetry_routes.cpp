#include "server/telemetry/telemetry_routes.hpp"

namespace cameleer::server {

void add_telemetry_routes(web::Router& router, const Health& health, Metrics& metrics) {
  router.add({.pattern = "/health/live",
              .operation_id = "healthLive",
              .access = {"public"},
              .handler = [](web::Request&) -> async::Task<web::Response> {
                co_return web::Response::json(R"({"status":"UP"})");
              }});
  router.add({.pattern = "/health/ready",
              .operation_id = "healthReady",
              .access = {"public"},
              .handler = [&health](web::Request&) -> async::Task<web::Response> {
                co_return web::Response::json(health.render(), health.ready() ? 200 : 503);
              }});
  router.add({.pattern = "/metrics",
              .operation_id = "metrics",
              .access = {"public"},
              .handler = [&metrics](web::Request&) -> async::Task<web::Response> {
                co_return web::Response{.content_type = "text/plain; version=0.0.4; charset=utf-8",
                                        .body = metrics.render()};
              }});
}

}  // namespace cameleer::server
