#pragma once
#include <array>
#include <cmath>
#include <cstdint>

namespace cameleer::sim {

/// Quantiles of durations with an error of 2.5 %, in constant memory: buckets that grow by 5 % from 1 µs to an hour.
class Latencies {
 public:
  void add(double microseconds) {
    const auto index = microseconds <= 1 ? 0.0 : std::log(microseconds) / std::log(kGrowth);
    ++counts_[std::min(static_cast<std::size_t>(index), counts_.size() - 1)];
    ++total_;
  }
  /// Of `share` 0 to 1, in microseconds; 0 when nothing was added.
  [[nodiscard]] double quantile(double share) const {
    if (total_ == 0) return 0;
    const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(total_)));
    std::uint64_t passed = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      passed += counts_[i];
      if (passed >= wanted && passed > 0) return std::pow(kGrowth, static_cast<double>(i) + 0.5);
    }
    return 0;
  }
  [[nodiscard]] std::uint64_t total() const { return total_; }

 private:
  static constexpr double kGrowth = 1.05;
  std::array<std::uint64_t, 452> counts_{};
  std::uint64_t total_ = 0;
};

}  // namespace cameleer::sim
