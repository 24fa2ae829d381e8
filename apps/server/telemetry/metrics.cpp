#include "server/telemetry/metrics.hpp"

#include <prometheus/text_serializer.h>

namespace cameleer::server {
namespace {

const prometheus::Histogram::BucketBoundaries kSeconds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                       0.1,    0.25,  0.5,    1.0,   2.5,  10.0};

}  // namespace

Metrics::Metrics()
    : requests_(prometheus::BuildCounter()
                    .Name("cameleer_http_requests_total")
                    .Help("Finished HTTP requests by operation and status class")
                    .Register(registry_)),
      durations_(prometheus::BuildHistogram()
                     .Name("cameleer_http_request_duration_seconds")
                     .Help("Time from the end of the header section to the last byte of the answer")
                     .Register(registry_)) {}

Metrics::RouteFigures& Metrics::figures_of(const web::Route* route) {
  auto [entry, is_new] = routes_.try_emplace(route);
  if (is_new) {
    const std::string operation = !route ? "none" : route->operation_id.empty() ? "ui" : route->operation_id;
    for (int status = 1; status <= 5; ++status) {
      entry->second.by_class[status] =
          &requests_.Add({{"operation", operation}, {"status", fmt::format("{}xx", status)}});
    }
    entry->second.duration = &durations_.Add({{"operation", operation}}, kSeconds);
  }
  return entry->second;
}

void Metrics::count_request(const web::Route* route, int status, std::chrono::nanoseconds elapsed) {
  auto& figures = figures_of(route);
  figures.by_class[static_cast<std::size_t>(std::clamp(status / 100, 1, 5))]->Increment();
  figures.duration->Observe(std::chrono::duration<double>(elapsed).count());
}

void Metrics::observe(const std::string& name, const std::string& help, const prometheus::Labels& labels,
                      std::function<double()> value) {
  auto& gauge = prometheus::BuildGauge().Name(name).Help(help).Register(registry_).Add(labels);
  refresh_.push_back([&gauge, value = std::move(value)] { gauge.Set(value()); });
}

void Metrics::observe_total(const std::string& name, const std::string& help, const prometheus::Labels& labels,
                            std::function<double()> value) {
  auto& counter = prometheus::BuildCounter().Name(name).Help(help).Register(registry_).Add(labels);
  refresh_.push_back([&counter, value = std::move(value)] {
    if (const double grown = value() - counter.Value(); grown > 0) counter.Increment(grown);
  });
}

void Metrics::observe_distribution(const std::string& name, const std::string& help, const prometheus::Labels& labels,
                                   const Distribution& of) {
  auto& histogram = prometheus::BuildHistogram().Name(name).Help(help).Register(registry_).Add(labels, of.bounds());
  refresh_.push_back([&histogram, &of, shown = Distribution(of.bounds())]() mutable {
    std::vector<double> grown;
    for (std::size_t i = 0; i < of.counts().size(); ++i) {
      grown.push_back(static_cast<double>(of.counts()[i] - shown.counts()[i]));
    }
    histogram.ObserveMultiple(grown, of.sum() - shown.sum());
    shown = of;
  });
}

std::vector<prometheus::MetricFamily> Metrics::collect() {
  for (const auto& refresh : refresh_) refresh();
  return registry_.Collect();
}

std::string Metrics::render() {
  return prometheus::TextSerializer().Serialize(collect());
}

}  // namespace cameleer::server
