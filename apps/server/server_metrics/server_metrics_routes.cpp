#include "server/server_metrics/server_metrics_routes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cameleer/web/service_routes.hpp>

namespace cameleer::server {
namespace {

namespace json = boost::json;

constexpr web::Limits kLimits{.body_bytes = 1024, .decoded_body_bytes = 1024, .handling = std::chrono::minutes(1)};

web::Response answer(const json::object& body) {
  auto response = web::Response::json(json::serialize(body));
  response.headers.push_back({"Cache-Control", "no-store"});
  return response;
}

json::object json_of(const MetricSeries& series, const SeriesQuery& query) {
  json::object labels;
  for (const auto& [name, value] : series.labels) labels[name] = value;
  json::array points;
  for (const auto& [step, value] : series.points) {
    points.push_back(json::object{{"time", format_instant(query.from + step * query.step)}, {"value", value}});
  }
  return {{"instanceId", series.instance}, {"labels", std::move(labels)}, {"points", std::move(points)}};
}

json::object json_of(const KnownMetric& metric) {
  return {{"name", metric.name},
          {"type", metric.type},
          {"labels", json::array(metric.labels.begin(), metric.labels.end())},
          {"series", metric.series}};
}

json::object json_of(const KnownInstance& instance) {
  return {{"instanceId", instance.id},
          {"startedAt", format_instant(instance.started)},
          {"firstSampleAt", format_instant(instance.first_sample)},
          {"lastSampleAt", format_instant(instance.last_sample)}};
}

template <class Item>
json::array items_of(const std::vector<Item>& items) {
  json::array array;
  for (const auto& item : items) array.push_back(json_of(item));
  return array;
}

async::Task<web::Response> list(ServerMetricsService& service, web::Request& request) {
  const auto range = read_series_range(request, service.now());
  if (!range) co_return web::problem(range.error(), request.request_id);
  auto known = co_await service.known(*range);
  if (!known) co_return web::problem(known.error(), request.request_id);
  co_return answer({{"from", format_instant(range->from)},
                    {"to", format_instant(range->to)},
                    {"metrics", items_of(known->metrics)},
                    {"instances", items_of(known->instances)}});
}

async::Task<web::Response> query(ServerMetricsService& service, web::Request& request) {
  auto asked = read_series_query(request, service.now(), service.least_step());
  if (!asked) co_return web::problem(asked.error(), request.request_id);
  auto found = co_await service.query(std::move(*asked));
  if (!found) co_return web::problem(found.error(), request.request_id);
  json::array series;
  for (const auto& one : found->series) series.push_back(json_of(one, found->query));
  json::object body{{"name", found->query.name},
                    {"from", format_instant(found->query.from)},
                    {"to", format_instant(found->query.to)},
                    {"stepSeconds", found->query.step.count()},
                    {"value", name_of(found->query.value)},
                    {"series", std::move(series)}};
  if (!found->type.empty()) body["type"] = found->type;
  co_return answer(body);
}

}  // namespace

void add_server_metrics_routes(web::Router& router, ServerMetricsService& service) {
  constexpr auto kAccess = "manage_server";
  web::add_service_routes(
      router, service, kLimits,
      {
          {web::Method::get, "/api/v1/admin/server-metrics", "listServerMetrics", kAccess, list},
          {web::Method::get, "/api/v1/admin/server-metrics/query", "queryServerMetrics", kAccess, query},
      });
}

}  // namespace cameleer::server
