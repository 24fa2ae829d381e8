#pragma once
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <utility>

namespace cameleer::server {

/// What waits: each sender's in its order, and the senders take turns, however much each of them has waiting. The bound
/// is the caller's (`SharedRoom`).
template <class Item>
class TurnQueue {
 public:
  void push(std::uint64_t sender, Item item) {
    auto& own = waiting_[sender];
    if (own.empty()) turns_.push_back(sender);
    own.push_back(std::move(item));
  }
  [[nodiscard]] bool empty() const { return turns_.empty(); }
  /// Whose turn it is; there must be one.
  [[nodiscard]] const Item& front() const { return waiting_.find(turns_.front())->second.front(); }
  Item pop() {
    const auto found = waiting_.find(turns_.front());
    turns_.pop_front();
    auto item = std::move(found->second.front());
    found->second.pop_front();
    if (found->second.empty())
      waiting_.erase(found);
    else
      turns_.push_back(found->first);
    return item;
  }

 private:
  std::unordered_map<std::uint64_t, std::deque<Item>> waiting_;
  std::deque<std::uint64_t> turns_;
};

}  // namespace cameleer::server
