#pragma once
#include <cameleer/core/error.hpp>
#include <expected>

namespace cameleer::web {

/// A request that the server itself turns away. `status` is that of `error.code` unless HTTP has a more exact one
/// (414, 417, 501, 505).
struct Refusal {
  Error error;
  int status = 0;
};

template <class T>
using Checked = std::expected<T, Refusal>;

inline std::unexpected<Refusal> refuse(ErrorCode code, std::string message, int status = 0) {
  return std::unexpected(Refusal{{code, std::move(message)}, status != 0 ? status : info_of(code).http_status});
}

inline std::unexpected<Refusal> malformed(std::string message) {
  return refuse(ErrorCode::malformed_request, std::move(message));
}

}  // namespace cameleer::web
