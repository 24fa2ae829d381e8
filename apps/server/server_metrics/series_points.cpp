#include "server/server_metrics/series_points.hpp"

#include <algorithm>

namespace cameleer::server {

void SeriesPoints::put(double value, std::int64_t step, bool adds) {
  auto& points = series_.back().points;
  const auto [at, is_new] = points.try_emplace(step, value);
  if (is_new) {
    ++points_;
  } else {
    // Two lives of a process in one step: both grew, and the later one has the last word on the rest.
    at->second = adds ? at->second + value : value;
  }
}

void SeriesPoints::add(StepRow row) {
  const bool same_series = before_ && before_->instance == row.instance && before_->series == row.series;
  const bool same_life = same_series && before_->started == row.started;
  if (!same_series) series_.push_back({.instance = row.instance, .labels = std::move(row.labels), .points = {}});
  if (value_ == SampleValue::delta || value_ == SampleValue::rate) {
    const auto steps = same_life ? row.step - before_->step : 1;
    const auto growth = std::max(0.0, row.value - (same_life ? before_->value : row.least));
    if (row.step >= 0) {
      put(value_ == SampleValue::delta ? growth : growth / static_cast<double>(steps * step_.count()), row.step, true);
    }
  } else if (row.step >= 0) {
    put(row.value, row.step, false);
  }
  before_ = std::move(row);
}

std::vector<MetricSeries> SeriesPoints::take() {
  std::erase_if(series_, [](const MetricSeries& one) { return one.points.empty(); });
  return std::move(series_);
}

}  // namespace cameleer::server
