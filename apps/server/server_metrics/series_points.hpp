#pragma once
#include <map>
#include <string>
#include <vector>

#include "server/server_metrics/series_query.hpp"

namespace cameleer::server {

/// The samples of one series in one step, of one life of a process.
struct StepRow {
  std::string instance, series;
  std::vector<std::pair<std::string, std::string>> labels;
  Instant started;        ///< of the process
  std::int64_t step = 0;  ///< its number from `from`; negative: before it, to know what counters grew from
  double value = 0;       ///< the greatest of the step, where growth is asked for
  double least = 0;
};

struct MetricSeries {
  std::string instance;
  std::vector<std::pair<std::string, std::string>> labels;
  std::map<std::int64_t, double> points;  ///< by number of the step
};

/// Puts points together from rows that are sorted by instance, series, start and step. Growth is counted within a life
/// of a process alone, for each begins at zero.
class SeriesPoints {
 public:
  SeriesPoints(SampleValue value, std::chrono::seconds step) : value_(value), step_(step) {}
  void add(StepRow row);
  /// Without series that have no point.
  std::vector<MetricSeries> take();
  [[nodiscard]] std::size_t points() const { return points_; }

 private:
  void put(double value, std::int64_t step, bool adds);

  SampleValue value_;
  std::chrono::seconds step_;
  std::vector<MetricSeries> series_;
  std::optional<StepRow> before_;
  std::size_t points_ = 0;
};

}  // namespace cameleer::server
