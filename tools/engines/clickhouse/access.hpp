#pragma once
#include <optional>

#include "http_request.hpp"
#include "query_handler.hpp"

namespace cameleer::engine {

struct AccessRefusal {
  int status;  ///< 401 when nothing was presented, else 403
  EngineError error;
};

/// Compares what the request presents (`X-ClickHouse-User`/`-Key`, Basic, or `user`/`password` in the URL, in this
/// order) in constant time.
std::optional<AccessRefusal> refuse_access(const RequestReader& request, const Credentials& expected);

}  // namespace cameleer::engine
