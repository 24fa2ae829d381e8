#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace cameleer::server {

/// How often a figure came to lie below which bound: what `Metrics::observe_distribution` shows as a histogram. I/O
/// thread only.
class Distribution {
 public:
  /// `bounds` ascend; each includes its value. What is above the last has a place of its own.
  explicit Distribution(std::vector<double> bounds) : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}

  void add(double value) {
    const auto at = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
    ++counts_[static_cast<std::size_t>(at)];
    sum_ += value;
  }

  [[nodiscard]] const std::vector<double>& bounds() const { return bounds_; }
  [[nodiscard]] const std::vector<std::uint64_t>& counts() const { return counts_; }  ///< one more than bounds
  [[nodiscard]] double sum() const { return sum_; }

  static Distribution of_seconds() {
    return Distribution({0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600});
  }
  static Distribution of_rows() { return Distribution({1, 10, 100, 1'000, 5'000, 10'000, 50'000, 100'000, 500'000}); }
  static Distribution of_bytes() {
    return Distribution({1 << 10, 1 << 14, 1 << 17, 1 << 20, 4 << 20, 8 << 20, 16 << 20, 32 << 20, 64 << 20});
  }

 private:
  std::vector<double> bounds_;
  std::vector<std::uint64_t> counts_;
  double sum_ = 0;
};

}  // namespace cameleer::server
