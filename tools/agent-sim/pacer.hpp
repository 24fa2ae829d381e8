#pragma once
#include <chrono>
#include <cstddef>

namespace cameleer::sim {

/// Spreads executions over time, over all agents: a schedule at a constant rate. A sender that comes late finds its
/// turn already due, so that a stalled server is caught up with, but by no more than `most_late` of work.
class Pacer {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// `rate` in executions a second; 0: never wait.
  Pacer(double rate, Time start, std::chrono::milliseconds most_late = std::chrono::seconds(1))
      : rate_(rate), next_(start), most_late_(most_late) {}

  /// When `count` executions may go out; their place in the schedule is taken.
  Time take(std::size_t count, Time now) {
    if (rate_ <= 0) return now;
    if (now - next_ > most_late_) next_ = now - most_late_;
    const auto turn = next_;
    next_ +=
        std::chrono::duration_cast<Time::duration>(std::chrono::duration<double>(static_cast<double>(count) / rate_));
    return turn;
  }

 private:
  double rate_;
  Time next_;
  std::chrono::milliseconds most_late_;
};

}  // namespace cameleer::sim
