#pragma once
#include <cstdint>

namespace cameleer::sim {

/// What an agent does with the answer to a data request.
enum class Verdict : std::uint8_t {
  acknowledged,    ///< 202
  renew,           ///< 401: refresh, else register; then the same bytes
  register_again,  ///< 403
  split,           ///< 413: halves; a single one is dropped
  drop,            ///< any other 4xx: the request is wrong and stays wrong
  retry,           ///< 408, 429, 5xx, no answer, anything else: the same bytes again
};

/// `status` 0: no answer.
constexpr Verdict verdict_of(int status) {
  switch (status) {
    case 202:
      return Verdict::acknowledged;
    case 401:
      return Verdict::renew;
    case 403:
      return Verdict::register_again;
    case 413:
      return Verdict::split;
    case 408:
    case 429:
      return Verdict::retry;
    default:
      return status >= 400 && status < 500 ? Verdict::drop : Verdict::retry;
  }
}

}  // namespace cameleer::sim
