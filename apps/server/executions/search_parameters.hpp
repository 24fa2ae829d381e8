#pragma once
#include <cameleer/core/execution_filter.hpp>
#include <cameleer/web/message.hpp>

namespace cameleer::server {

struct SearchParameters {
  ExecutionFilter filter;
  std::string cursor;
};

/// Reads the query of a search. Unknown, repeated single and malformed parameters are `invalid_parameter`, the
/// parameter's name being the member.
Expected<SearchParameters> read_search(const web::Request& request);

/// The only parameter of the detail, `at`.
Expected<std::optional<Instant>> read_at(const web::Request& request);

}  // namespace cameleer::server
