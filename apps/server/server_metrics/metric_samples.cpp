#include "server/server_metrics/metric_samples.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace cameleer::server {
namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;

Labels labels_of(const prometheus::ClientMetric& metric) {
  Labels labels;
  for (const auto& label : metric.label) labels.emplace_back(label.name, label.value);
  std::ranges::sort(labels);
  return labels;
}

std::string bound_text(double bound) {
  return std::isinf(bound) ? "+Inf" : fmt::format("{}", bound);
}

void add(std::vector<MetricSample>& to, std::string name, std::string_view type, Labels labels, double value) {
  if (!std::isfinite(value)) return;
  to.push_back({.name = std::move(name), .type = type, .labels = std::move(labels), .value = value});
}

void add_histogram(std::vector<MetricSample>& to, const std::string& name, const prometheus::ClientMetric& metric) {
  const auto labels = labels_of(metric);
  const auto& histogram = metric.histogram;
  add(to, name + "_count", "histogram", labels, static_cast<double>(histogram.sample_count));
  add(to, name + "_sum", "histogram", labels, histogram.sample_sum);
  for (const auto& bucket : histogram.bucket) {
    auto of_bucket = labels;
    of_bucket.emplace_back("le", bound_text(bucket.upper_bound));
    std::ranges::sort(of_bucket);
    add(to, name + "_bucket", "histogram", std::move(of_bucket), static_cast<double>(bucket.cumulative_count));
  }
}

}  // namespace

std::vector<MetricSample> samples_of(const std::vector<prometheus::MetricFamily>& families) {
  std::vector<MetricSample> samples;
  for (const auto& family : families) {
    for (const auto& metric : family.metric) {
      switch (family.type) {
        case prometheus::MetricType::Counter:
          add(samples, family.name, "counter", labels_of(metric), metric.counter.value);
          break;
        case prometheus::MetricType::Gauge:
          add(samples, family.name, "gauge", labels_of(metric), metric.gauge.value);
          break;
        case prometheus::MetricType::Histogram:
          add_histogram(samples, family.name, metric);
          break;
        case prometheus::MetricType::Summary:
        case prometheus::MetricType::Untyped:
          break;  // the server has none
      }
    }
  }
  return samples;
}

BegunSeries::Sorted BegunSeries::sort(std::vector<MetricSample> samples) {
  Sorted sorted;
  for (auto& sample : samples) {
    auto key = sample.name + '{' + series_of(sample.labels);
    const bool is_known = known_.contains(key);
    const bool counts = sample.type != "gauge";
    if (counts && !is_known && sample.value == 0) continue;
    if (!is_known) {
      if (known_.size() == most_) {
        ++sorted.left_out;
        continue;
      }
      known_.insert(std::move(key));
      if (counts) {
        sorted.zeros.push_back(sample);
        sorted.zeros.back().value = 0;
      }
    }
    sorted.taken.push_back(std::move(sample));
  }
  return sorted;
}

std::string series_of(const Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    text += fmt::format("{}{}=\"", text.empty() ? "" : ",", name);
    for (const char c : value) {
      if (c == '"' || c == '\\') text.push_back('\\');
      text.push_back(c);
    }
    text.push_back('"');
  }
  return text;
}

std::span<const clickhouse::Block::Column> server_metrics_columns() {
  static const std::array<clickhouse::Block::Column, 9> kColumns{{{"tenant_id", "LowCardinality(String)"},
                                                                  {"instance_id", "LowCardinality(String)"},
                                                                  {"started_at", "DateTime64(3)"},
                                                                  {"time", "DateTime64(3)"},
                                                                  {"metric_name", "LowCardinality(String)"},
                                                                  {"metric_type", "LowCardinality(String)"},
                                                                  {"series", "LowCardinality(String)"},
                                                                  {"labels", "Map(LowCardinality(String), String)"},
                                                                  {"value", "Float64"}}};
  return kColumns;
}

std::string encode_samples(const MetricSource& source, Instant time, const std::vector<MetricSample>& samples) {
  const auto columns = server_metrics_columns();
  clickhouse::Block block({columns.begin(), columns.end()});
  for (const auto& sample : samples) {
    block.append(0, source.tenant);
    block.append(1, source.instance);
    block.append_int(2, milliseconds_of(source.started));
    block.append_int(3, milliseconds_of(time));
    block.append(4, sample.name);
    block.append(5, sample.type);
    block.append(6, series_of(sample.labels));
    block.append_map(7, sample.labels);
    block.append_double(8, sample.value);
  }
  return block.encode_native();
}

}  // namespace cameleer::server
