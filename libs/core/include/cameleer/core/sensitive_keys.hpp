#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace cameleer {

/// The names that secrets go under: Authorization, Cookie, Set-Cookie, X-API-Key, X-Auth-Token, Proxy-Authorization.
std::vector<std::string> default_sensitive_keys();

/// A set of names. ASCII case does not matter; exact names are tried first, then globs (`*` any run of characters, `?`
/// one byte). Immutable, so that threads may share it.
class SensitiveKeys {
 public:
  explicit SensitiveKeys(std::span<const std::string> keys);
  [[nodiscard]] bool matches(std::string_view name) const;
  [[nodiscard]] bool empty() const { return exact_.empty() && globs_.empty(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::unordered_set<std::string, Hash, std::equal_to<>> exact_;
  std::vector<std::string> globs_;
  std::uint64_t lengths_ = 0;  // of exact names, a bit each; the last for all that are longer
};

}  // namespace cameleer
