#include "server/auth/attempt_limit.hpp"

namespace cameleer::server {

std::optional<std::chrono::milliseconds> AttemptLimit::count(const std::string& name, Instant now) {
  const auto* known = recent_.find(name, now);
  Window window = known != nullptr ? *known : Window{.attempts = 0, .since = now};
  if (window.attempts >= limit_) return window.since + window_ - now;
  ++window.attempts;
  // Put at the window's beginning: counting does not prolong it.
  recent_.put(name, window, window.since);
  return std::nullopt;
}

void AttemptLimit::give_back(const std::string& name, Instant now) {
  const auto* known = recent_.find(name, now);
  if (known == nullptr || known->attempts == 0) return;
  Window window = *known;
  --window.attempts;
  recent_.put(name, window, window.since);
}

}  // namespace cameleer::server
