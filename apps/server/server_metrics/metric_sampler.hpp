#pragma once
#include <cameleer/async/task.hpp>
#include <cameleer/clickhouse/client.hpp>
#include <memory>

#include "server/server_metrics/metric_samples.hpp"
#include "server/telemetry/metrics.hpp"

namespace cameleer::server {

/// Stores a Native body of `server_metrics_columns()`.
using SampleInserter = std::function<async::Task<clickhouse::Outcome<void>>(std::string body)>;

/// Takes the server's figures every few seconds and stores them. Best effort by intention: it waits for nobody, does
/// not go through the ingest journal, and while the store is away it keeps the newest samples in memory and drops the
/// oldest, counted. I/O thread only.
class MetricSampler {
 public:
  struct Options {
    std::chrono::milliseconds interval{30'000};  ///< zero: off
    std::size_t most_series = 10'000;            ///< more are left out, counted
    std::size_t waiting_bytes = 16u << 20;       ///< of samples that are not stored yet
    std::size_t insert_bytes = 4u << 20;         ///< stored at once
    std::chrono::milliseconds drain{2'000};      ///< for the last samples, at the end
  };
  struct Counters {
    std::uint64_t rows = 0;            ///< stored
    std::uint64_t failed_inserts = 0;  ///< repeated at the next moment
    std::uint64_t dropped = 0;         ///< rows that made room for newer ones
    std::uint64_t left_out = 0;        ///< values of series beyond `most_series`
    std::uint64_t waiting_bytes = 0;
  };

  MetricSampler(async::Executor executor, SampleInserter inserter, Clock clock, Options options);
  ~MetricSampler();
  MetricSampler(const MetricSampler&) = delete;
  MetricSampler& operator=(const MetricSampler&) = delete;

  /// Samples until `stop`; spawn once. `metrics` outlives it.
  async::Task<> run(Metrics& metrics, MetricSource source);
  /// Takes a last sample and gives the store `drain` to take it.
  async::Task<> stop();
  [[nodiscard]] const Counters& counters() const;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace cameleer::server
