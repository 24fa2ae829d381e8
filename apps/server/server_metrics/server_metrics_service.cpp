#include "server/server_metrics/server_metrics_service.hpp"

#include <fmt/format.h>

namespace cameleer::server {
namespace {

async::Task<clickhouse::Outcome<void>> insert_into(clickhouse::Client* engine, std::string body) {
  co_return co_await engine->insert("server_metrics", server_metrics_columns(), std::move(body));
}

}  // namespace

ServerMetricsService::ServerMetricsService(async::Executor executor, clickhouse::Client& engine, Clock clock,
                                           ServerMetricsOptions options)
    : clock_(std::move(clock)),
      options_(std::move(options)),
      started_(clock_()),
      store_(engine, options_.tenant),
      sampler_(executor, [&engine](std::string body) { return insert_into(&engine, std::move(body)); }, clock_,
               {.interval = options_.interval}) {}

async::Task<> ServerMetricsService::run(Metrics& metrics, std::string instance) {
  if (!options_.instance.empty()) instance = options_.instance;
  return sampler_.run(metrics, {.tenant = options_.tenant, .instance = std::move(instance), .started = started_});
}

std::chrono::seconds ServerMetricsService::least_step() const {
  return std::max(std::chrono::seconds(1), std::chrono::ceil<std::chrono::seconds>(options_.interval));
}

async::Task<Expected<ServerMetricsService::Answer>> ServerMetricsService::query(SeriesQuery query) {
  auto matching = co_await store_.count_series(query);
  if (!matching) co_return std::unexpected(std::move(matching.error()));
  Answer answer{.query = query, .type = matching->type, .series = {}};
  if (matching->series == 0) co_return answer;
  if (matching->series > SeriesQuery::max_series) {
    co_return fail(ErrorCode::invalid_parameter,
                   fmt::format("More than {} series have this name. Ask for some of them with `label` or `instanceId`.",
                               SeriesQuery::max_series),
                   "name");
  }
  const bool grows = query.value == SampleValue::delta || query.value == SampleValue::rate;
  if (grows && matching->type == "gauge") {
    co_return fail(ErrorCode::invalid_parameter, "A gauge does not grow: ask for avg, min, max or latest.", "value");
  }
  const auto steps = static_cast<std::size_t>((query.to - query.from) / query.step) + 1;
  if (matching->series * steps > SeriesQuery::max_points) {
    co_return fail(ErrorCode::invalid_parameter,
                   fmt::format("{} series of {} steps are more than {} points. Take longer steps, or fewer series.",
                               matching->series, steps, SeriesQuery::max_points),
                   "step");
  }
  auto series = co_await store_.series(std::move(query));
  if (!series) co_return std::unexpected(std::move(series.error()));
  answer.series = std::move(*series);
  co_return answer;
}

async::Task<Expected<ServerMetricsService::Known>> ServerMetricsService::known(SeriesRange range) {
  auto metrics = co_await store_.metrics(range);
  if (!metrics) co_return std::unexpected(std::move(metrics.error()));
  auto instances = co_await store_.instances(range);
  if (!instances) co_return std::unexpected(std::move(instances.error()));
  co_return Known{.metrics = std::move(*metrics), .instances = std::move(*instances)};
}

void add_server_metrics_metrics(Metrics& metrics, const ServerMetricsService& service) {
  const auto& counters = service.counters();
  using Counters = MetricSampler::Counters;
  const auto total = [&](const char* name, const char* help, const prometheus::Labels& labels,
                         std::uint64_t Counters::* figure) {
    metrics.observe_total(name, help, labels, [&counters, figure] { return static_cast<double>(counters.*figure); });
  };
  constexpr auto kDropped = "cameleer_server_metrics_dropped_total";
  constexpr auto kWhy = "Values of the server's own figures that were not stored";
  total("cameleer_server_metrics_rows_total", "Values of the server's own figures that were stored", {},
        &Counters::rows);
  total(kDropped, kWhy, {{"reason", "store_away"}}, &Counters::dropped);
  total(kDropped, kWhy, {{"reason", "too_many_series"}}, &Counters::left_out);
  total("cameleer_server_metrics_failed_inserts_total", "Inserts of them that failed and were repeated", {},
        &Counters::failed_inserts);
  metrics.observe("cameleer_server_metrics_waiting_bytes", "What of them waits for the store", {},
                  [&counters] { return static_cast<double>(counters.waiting_bytes); });
}

}  // namespace cameleer::server
