#pragma once
#include <cameleer/clickhouse/client.hpp>
#include <string>
#include <vector>

#include "server/server_metrics/series_points.hpp"

namespace cameleer::server {

/// What is known of a metric in a range of time.
struct KnownMetric {
  std::string name, type;
  std::vector<std::string> labels;  ///< names
  std::int64_t series = 0;
};

/// A process that wrote samples.
struct KnownInstance {
  std::string id;
  Instant started;  ///< last
  Instant first_sample, last_sample;
};

/// Reads and writes `server_metrics`, of one tenant and always within a range of time. I/O thread only; the engine
/// outlives it.
class ServerMetricsStore {
 public:
  ServerMetricsStore(clickhouse::Client& engine, std::string tenant) : engine_(engine), tenant_(std::move(tenant)) {}

  struct Matching {
    std::size_t series = 0;  ///< counted up to one more than `max_series`
    std::string type;
  };
  async::Task<Expected<Matching>> count_series(SeriesQuery query);
  async::Task<Expected<std::vector<MetricSeries>>> series(SeriesQuery query);
  async::Task<Expected<std::vector<KnownMetric>>> metrics(SeriesRange range);
  async::Task<Expected<std::vector<KnownInstance>>> instances(SeriesRange range);

 private:
  clickhouse::Client& engine_;
  std::string tenant_;
};

}  // namespace cameleer::server
