#pragma once
#include <cameleer/identity/encoding.hpp>
#include <cameleer/identity/recent.hpp>
#include <cstdint>

namespace cameleer::identity {

/// Tokens whose signature held, for an hour each, by the SHA-256 of the whole token, so that no credential is kept. The
/// verdict on the signature is all that it knows: type, issuer, times and claims are looked at as if the token were
/// new. Whoever owns it empties it when a key changes. A wrong signature is never remembered: no flood of bad tokens
/// pushes a good one out. One thread.
class SignatureCache {
 public:
  static constexpr std::size_t most_tokens = 10'000;

  explicit SignatureCache(std::size_t capacity = most_tokens) : held_(capacity, std::chrono::hours(1)) {}

  /// Whether the token's signature holds: as it was found before, or as `check()` finds now.
  template <class Check>
  bool holds(std::string_view token, Instant now, Check check) {
    const auto digest = sha256(token);
    if (held_.find(digest, now) != nullptr) {
      ++hits_;
      return true;
    }
    if (!check()) return false;
    held_.put(digest, {}, now);
    return true;
  }

  void clear() { held_.clear(); }
  [[nodiscard]] std::size_t size() const { return held_.size(); }
  /// Times that a signature did not have to be computed.
  [[nodiscard]] std::uint64_t hits() const { return hits_; }

 private:
  struct Held {};
  Recent<Held> held_;
  std::uint64_t hits_ = 0;
};

}  // namespace cameleer::identity
