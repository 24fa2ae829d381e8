#pragma once
#include <cameleer/core/instant.hpp>
#include <cameleer/web/message.hpp>
#include <string>
#include <vector>

namespace cameleer::server {

/// How the samples of a series within one step become one number.
enum class SampleValue : std::uint8_t {
  avg,
  min,
  max,
  latest,
  delta,  ///< by how much a counter grew
  rate,   ///< the same by second
};
std::string_view name_of(SampleValue value);

/// What is asked of `server_metrics`.
struct SeriesQuery {
  static constexpr std::chrono::days max_range{31};
  static constexpr std::size_t max_series = 500;
  static constexpr std::int64_t max_steps = 1'500;     ///< of the range
  static constexpr std::size_t max_points = 100'000;   ///< of all series together
  static constexpr std::size_t max_restrictions = 20;  ///< labels and instances, each

  std::string name;
  Instant from, to;  ///< `from` is a multiple of `step`
  std::chrono::seconds step{0};
  SampleValue value = SampleValue::avg;
  std::vector<std::pair<std::string, std::string>> labels;  ///< any of the values of each name
  std::vector<std::string> instances;                       ///< empty: all
};

struct SeriesRange {
  Instant from, to;
};

/// Reads `name`, `from`, `to`, `step`, `value`, `label` (`kind=logs`), `instanceId`. Unless given: the last hour and a
/// step for some 300 points, not below `least_step`. Unknown, repeated and malformed parameters are
/// `invalid_parameter`, the parameter's name being the member.
Expected<SeriesQuery> read_series_query(const web::Request& request, Instant now, std::chrono::seconds least_step);

/// Reads `from` and `to` alone; the last hour unless given.
Expected<SeriesRange> read_series_range(const web::Request& request, Instant now);

}  // namespace cameleer::server
