#pragma once
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <cameleer/web/server.hpp>
#include <functional>
#include <string>
#include <unordered_map>

#include "server/telemetry/distribution.hpp"

namespace cameleer::server {

/// The server's own figures, as `/metrics` shows them. I/O thread only.
class Metrics {
 public:
  Metrics();

  /// Counts one finished request: `cameleer_http_requests_total{operation,status}` (status by class, `2xx`) and
  /// `cameleer_http_request_duration_seconds{operation}`.
  void count_request(const web::Route* route, int status, std::chrono::nanoseconds elapsed);

  /// A gauge whose value is asked for at each scrape. `labels` may be empty.
  void observe(const std::string& name, const std::string& help, const prometheus::Labels& labels,
               std::function<double()> value);
  /// The same for a figure that only grows.
  void observe_total(const std::string& name, const std::string& help, const prometheus::Labels& labels,
                     std::function<double()> value);

  /// The same for a histogram; `of` outlives it.
  void observe_distribution(const std::string& name, const std::string& help, const prometheus::Labels& labels,
                            const Distribution& of);

  /// All of it at this moment.
  [[nodiscard]] std::vector<prometheus::MetricFamily> collect();
  /// The same as Prometheus text format 0.0.4.
  [[nodiscard]] std::string render();

 private:
  struct RouteFigures {
    std::array<prometheus::Counter*, 6> by_class{};
    prometheus::Histogram* duration = nullptr;
  };
  RouteFigures& figures_of(const web::Route* route);

  prometheus::Registry registry_;
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Family<prometheus::Histogram>& durations_;
  std::unordered_map<const web::Route*, RouteFigures> routes_;
  std::vector<std::function<void()>> refresh_;
};

}  // namespace cameleer::server
