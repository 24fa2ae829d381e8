#pragma once
#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <string_view>

namespace cameleer::sim {

/// How long to wait before the same request again: what `Retry-After` says in seconds, else doubling from `first` to
/// `most`.
class RetryDelay {
 public:
  using Milliseconds = std::chrono::milliseconds;
  RetryDelay(Milliseconds first, Milliseconds most) : next_(first), most_(most) {}

  Milliseconds next(std::string_view retry_after) {
    const auto own = next_;
    next_ = std::min(next_ * 2, most_);
    int seconds = 0;
    const auto [end, error] = std::from_chars(retry_after.data(), retry_after.data() + retry_after.size(), seconds);
    if (retry_after.empty() || error != std::errc() || end != retry_after.data() + retry_after.size() || seconds < 0) {
      return own;
    }
    // A server that asks for an hour is asked again after a minute.
    return std::min<Milliseconds>(std::chrono::seconds(seconds), std::chrono::minutes(1));
  }

 private:
  Milliseconds next_, most_;
};

}  // namespace cameleer::sim
