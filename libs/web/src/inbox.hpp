#pragma once
#include <boost/asio/buffer.hpp>
#include <cstring>
#include <memory>
#include <string_view>

namespace cameleer::web {

/// Bytes read from a peer and not yet used. Starts small, so that a silent or slow peer costs little, and grows to a
/// bound only when a read filled it.
class Inbox {
 public:
  static constexpr std::size_t kSmall = 4 * 1024;

  explicit Inbox(std::size_t bound) : bound_(std::max(bound, kSmall)) {}

  [[nodiscard]] std::string_view view() const { return {data_.get() + begin_, end_ - begin_}; }
  [[nodiscard]] bool empty() const { return begin_ == end_; }
  void consume(std::size_t count) { begin_ += count; }
  void add(std::size_t count) { end_ += count; }
  void clear() { begin_ = end_ = 0; }

  /// Where the next read may write; empty when the bound is reached.
  boost::asio::mutable_buffer room() {
    if (begin_ == end_) clear();
    if (end_ == capacity_) {
      if (begin_ > 0) {
        std::memmove(data_.get(), data_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
      } else {
        resize(std::min(capacity_ == 0 ? kSmall : capacity_ * 2, bound_));
      }
    }
    return {data_.get() + end_, capacity_ - end_};
  }

  /// Gives memory back before a wait for the next request.
  void shrink() {
    if (capacity_ > kSmall && end_ - begin_ <= kSmall) resize(kSmall);
  }

 private:
  void resize(std::size_t capacity) {
    if (capacity <= end_ - begin_ && capacity <= capacity_) return;
    auto data = std::make_unique_for_overwrite<char[]>(capacity);
    if (!empty()) std::memcpy(data.get(), data_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    data_ = std::move(data);
    capacity_ = capacity;
  }

  std::size_t bound_;
  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace cameleer::web
