#pragma once
#include "server/server_metrics/metric_sampler.hpp"
#include "server/server_metrics/server_metrics_store.hpp"

namespace cameleer::server {

struct ServerMetricsOptions {
  std::string tenant = "default";
  std::string instance;                        ///< who this process is; two at a time never share a name
  std::chrono::milliseconds interval{30'000};  ///< `cameleer.server.self-metrics.interval-ms`; zero: off
};

/// Keeps the server's own figures in `server_metrics` and answers what they were. I/O thread only; the engine outlives
/// it.
class ServerMetricsService {
 public:
  ServerMetricsService(async::Executor executor, clickhouse::Client& engine, Clock clock, ServerMetricsOptions options);

  /// Samples until `stop`; spawn once. `metrics` outlives it. `instance` stands for one that the options leave open.
  async::Task<> run(Metrics& metrics, std::string instance);
  async::Task<> stop() { return sampler_.stop(); }
  [[nodiscard]] const MetricSampler::Counters& counters() const { return sampler_.counters(); }

  struct Answer {
    SeriesQuery query;
    std::string type;  ///< empty: nothing matches
    std::vector<MetricSeries> series;
  };
  /// `invalid_parameter`: more than `max_series` or `max_points`, or the growth of what is no counter.
  async::Task<Expected<Answer>> query(SeriesQuery query);

  struct Known {
    std::vector<KnownMetric> metrics;
    std::vector<KnownInstance> instances;
  };
  async::Task<Expected<Known>> known(SeriesRange range);

  [[nodiscard]] Instant now() const { return clock_(); }
  /// A step below it has steps without a sample.
  [[nodiscard]] std::chrono::seconds least_step() const;

 private:
  Clock clock_;
  ServerMetricsOptions options_;
  Instant started_;
  ServerMetricsStore store_;
  MetricSampler sampler_;
};

/// Figures of the sampler itself. `service` outlives `metrics`.
void add_server_metrics_metrics(Metrics& metrics, const ServerMetricsService& service);

}  // namespace cameleer::server
