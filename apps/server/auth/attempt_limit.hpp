#pragma once
#include <cameleer/identity/recent.hpp>
#include <optional>

namespace cameleer::server {

/// Failures per name or address within a window, in a bounded map: the oldest names are forgotten first. A value an
/// I/O thread owns.
class AttemptLimit {
 public:
  AttemptLimit(int limit, std::chrono::milliseconds window, std::size_t capacity)
      : limit_(limit), window_(window), recent_(capacity, window) {}

  /// Counts an attempt. The time to wait when the limit was reached before it.
  std::optional<std::chrono::milliseconds> count(const std::string& name, Instant now);
  /// Takes an attempt back that turned out to be good.
  void give_back(const std::string& name, Instant now);
  void clear(const std::string& name) { recent_.erase(name); }

 private:
  struct Window {
    int attempts = 0;
    Instant since{};
  };
  int limit_;
  std::chrono::milliseconds window_;
  identity::Recent<Window> recent_;
};

}  // namespace cameleer::server
