#pragma once
#include <chrono>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

namespace cameleer::engine {

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

/// A connected stream socket with deadlines: this program's threads block, but never without end.
class Socket {
 public:
  explicit Socket(Descriptor fd);
  /// Bytes read, 0 at the peer's end, -1 on an error or after `timeout` without a byte.
  long read(std::span<char> into, std::chrono::milliseconds timeout);
  /// False on an error or when the peer takes nothing for `timeout`.
  bool write(std::string_view bytes, std::chrono::milliseconds timeout);
  /// Ends our side and reads for a short while what the peer still sends, so that our answer is not lost in a reset.
  void linger();
  /// Closes with a reset: the peer sees that the answer is not whole.
  void reset();
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  Descriptor fd_;
};

}  // namespace cameleer::engine
