#pragma once
#include <cameleer/core/instant.hpp>
#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace cameleer::identity {

/// What was found out a short while ago, by a key: at most `capacity` values (the least recently used goes first), none
/// older than `life`. A clock that jumps back makes values old, never young. One thread.
template <class Value>
class Recent {
 public:
  Recent(std::size_t capacity, std::chrono::milliseconds life) : capacity_(capacity), life_(life) {}

  /// Null when there is none, or it is too old. Valid until the next call.
  const Value* find(const std::string& key, Instant now) { return find(key, now, life_); }

  /// The same for one that is younger than `limit`; an older one stays.
  const Value* find(const std::string& key, Instant now, std::chrono::milliseconds limit) {
    auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    const auto age = now - found->second->since;
    if (age >= life_ || age < std::chrono::milliseconds(0)) {
      erase(key);
      return nullptr;
    }
    if (age >= limit) return nullptr;
    order_.splice(order_.begin(), order_, found->second);
    return &found->second->value;
  }

  void put(const std::string& key, Value value, Instant now) {
    erase(key);
    order_.push_front(Entry{key, std::move(value), now});
    index_[key] = order_.begin();
    if (order_.size() > capacity_) {
      index_.erase(order_.back().key);
      order_.pop_back();
    }
  }

  void erase(const std::string& key) {
    auto found = index_.find(key);
    if (found == index_.end()) return;
    const auto entry = found->second;
    index_.erase(found);
    order_.erase(entry);
  }

  void clear() {
    index_.clear();
    order_.clear();
  }
  [[nodiscard]] std::size_t size() const { return order_.size(); }

 private:
  struct Entry {
    std::string key;
    Value value;
    Instant since;
  };
  std::size_t capacity_;
  std::chrono::milliseconds life_;
  std::list<Entry> order_;
  std::unordered_map<std::string, typename std::list<Entry>::iterator> index_;
};

}  // namespace cameleer::identity
