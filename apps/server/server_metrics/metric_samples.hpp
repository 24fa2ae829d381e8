#pragma once
#include <prometheus/metric_family.h>

#include <cameleer/clickhouse/block.hpp>
#include <cameleer/core/instant.hpp>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace cameleer::server {

/// One line of `/metrics`: a histogram is several.
struct MetricSample {
  std::string name;
  std::string_view type;                                    ///< `counter`, `gauge` or `histogram`
  std::vector<std::pair<std::string, std::string>> labels;  ///< sorted by name
  double value = 0;
};

/// The lines of `/metrics`; values that are no number are none.
std::vector<MetricSample> samples_of(const std::vector<prometheus::MetricFamily>& families);

/// Labels as text, `kind="logs",reason="too_old"`: with the name the identity of a series.
std::string series_of(const std::vector<std::pair<std::string, std::string>>& labels);

/// Knows which counters have begun to count. Those that never did are not kept, and most never do: each begins with a
/// zero at the moment before, so that its growth is always a difference to the sample before.
class BegunSeries {
 public:
  /// More series than `most` are left out.
  explicit BegunSeries(std::size_t most) : most_(most) {}

  struct Sorted {
    std::vector<MetricSample> taken;
    std::vector<MetricSample> zeros;  ///< of the moment before
    std::size_t left_out = 0;
  };
  Sorted sort(std::vector<MetricSample> samples);

 private:
  std::size_t most_;
  std::unordered_set<std::string> known_;
};

/// Whose samples they are.
struct MetricSource {
  std::string tenant;
  std::string instance;
  Instant started;  ///< of the process
};

/// Columns of `server_metrics` that are written.
std::span<const clickhouse::Block::Column> server_metrics_columns();

/// The samples of one moment as a Native body.
std::string encode_samples(const MetricSource& source, Instant time, const std::vector<MetricSample>& samples);

}  // namespace cameleer::server
