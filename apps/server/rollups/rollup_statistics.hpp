#pragma once
#include <optional>

#include "server/rollups/rollup_service.hpp"

namespace cameleer::server {

/// What figures are asked for. The range is widened to whole minutes.
struct StatisticsQuery {
  std::string environment;  ///< as rows carry it
  Instant from, to;
  RollupKind of = RollupKind::routes;
  enum class By { nothing, application, route, processor };  ///< processor: of processors only
  By by = By::nothing;
  std::chrono::minutes bucket{0};                        ///< a series in steps of so much since 1970; 0: totals
  std::vector<std::string> applications{}, route_ids{};  ///< empty: all
  std::size_t most = 100'000;                            ///< rows
};

/// Figures of one bucket and one key. Executions, or steps of them, that ended.
struct StatisticsRow {
  Instant at{};  ///< beginning of the bucket; 1970 in totals
  std::string application, route_id, processor_id, processor_type;
  std::uint64_t count = 0, failed = 0;
  std::uint64_t timed = 0;           ///< those that have a duration, which the following are of
  std::int64_t duration_sum_ms = 0;  ///< ÷ `timed`: the average
  std::int64_t duration_max_ms = 0;
  /// Of the rows in order of their duration, the one at rank floor(p × (timed - 1)), within 1 % of its duration; none
  /// when no row has one.
  std::optional<double> p50_ms, p95_ms, p99_ms;
};

/// Answers from the roll-ups, and from the rows themselves where the roll-ups do not have them yet: the newest minutes,
/// those that rows came to since, all while the job is behind or never ran. Each minute comes from one of the two, so
/// that the answer is the same whatever the job does. What the rows hold no more comes from the roll-ups. I/O thread
/// only; engine and job outlive it.
class Statistics {
 public:
  Statistics(clickhouse::Client& engine, const RollupService& rollups, std::string tenant)
      : engine_(engine), rollups_(rollups), tenant_(std::move(tenant)) {}

  /// In order of time and keys; an empty range or bucket without rows gives none.
  async::Task<Expected<std::vector<StatisticsRow>>> read(StatisticsQuery query);

  /// Where the minutes of a range come from.
  struct Sources {
    std::vector<MinuteRange> rolled, raw;
  };
  async::Task<Expected<Sources>> sources(RollupKind kind, std::string environment, MinuteRange range);

 private:
  clickhouse::Client& engine_;
  const RollupService& rollups_;
  std::string tenant_;
};

}  // namespace cameleer::server
