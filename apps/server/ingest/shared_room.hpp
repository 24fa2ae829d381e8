#pragma once
#include <cstdint>
#include <unordered_map>

namespace cameleer::server {

/// Room in bytes that senders share. Whoever holds much is refused first: nobody gets more than four times what is left
/// free after it, so that one alone has four fifths at most and the others still find room. (Dynamic thresholds:
/// Choudhury and Hahne, 1998.) I/O thread only.
class SharedRoom {
 public:
  explicit SharedRoom(std::uint64_t capacity) : capacity_(capacity) {}

  /// False: there is none for this sender now. One that holds nothing gets whatever is free.
  bool take(std::uint64_t sender, std::uint64_t bytes) {
    if (used_ > capacity_ || bytes > capacity_ - used_) return false;
    const auto found = held_.find(sender);
    const auto held = found == held_.end() ? 0 : found->second;
    if (held > 0 && held + bytes > kShare * (capacity_ - used_ - bytes)) return false;
    hold(sender, bytes);
    return true;
  }
  /// False: not even when it is empty.
  [[nodiscard]] bool could_take(std::uint64_t bytes) const { return bytes <= capacity_; }
  /// What is there already, at the start say, whether it fits or not.
  void hold(std::uint64_t sender, std::uint64_t bytes) {
    held_[sender] += bytes;
    used_ += bytes;
  }
  void give_back(std::uint64_t sender, std::uint64_t bytes) {
    const auto found = held_.find(sender);
    if (found == held_.end()) return;
    if (found->second <= bytes) {
      used_ -= found->second;
      held_.erase(found);
    } else {
      used_ -= bytes;
      found->second -= bytes;
    }
  }

 private:
  static constexpr std::uint64_t kShare = 4;
  std::uint64_t capacity_, used_ = 0;
  std::unordered_map<std::uint64_t, std::uint64_t> held_;
};

}  // namespace cameleer::server
