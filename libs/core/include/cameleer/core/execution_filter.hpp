#pragma once
#include <cameleer/core/error.hpp>
#include <cameleer/core/instant.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cameleer {

/// What a search for executions asks for. Empty members do not restrict; values of one member are alternatives.
struct ExecutionFilter {
  std::vector<std::string> statuses = {};                                  ///< RUNNING, COMPLETED, FAILED, INCOMPLETE
  std::optional<Instant> from = {}, to = {};                               ///< start time, from inclusive, to exclusive
  std::optional<std::int64_t> duration_min_ms = {}, duration_max_ms = {};  ///< inclusive
  std::vector<std::string> applications = {}, route_ids = {}, instance_ids = {};
  std::string correlation_id = {}, exchange_id = {};
  std::string text = {};                     ///< substring in error message, ids or route, in any case
  std::vector<std::string> attributes = {};  ///< `name=value`; all of them
  std::string error_words = {};              ///< words in error message or stack trace, all of them, in any case
  std::string header_words = {};             ///< the same of the values of its own headers
  std::uint32_t limit = 50;

  static constexpr std::uint32_t max_limit = 200;
  static constexpr std::size_t max_values = 50;       ///< of one member
  static constexpr std::size_t max_text_bytes = 512;  ///< of one value
  static constexpr std::chrono::hours default_span{24};
  static constexpr std::chrono::days max_span{400};  ///< longer than any retention
};

/// Sets `to` (now) and `from` (a day before `to`) where they are missing, and checks the rules. The error is
/// `invalid_parameter`; its member is the query parameter's name.
Expected<void> settle(ExecutionFilter& filter, Instant now);

/// The filter as one line that differs for filters that differ; `limit` does not count, nor do `from` and `to` when
/// absent. Made before `settle`, it ties a cursor to the search it came from.
std::string fingerprint(const ExecutionFilter& filter);

}  // namespace cameleer
