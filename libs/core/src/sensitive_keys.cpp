#include <algorithm>
#include <array>
#include <cameleer/core/sensitive_keys.hpp>

namespace cameleer {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

std::uint64_t bit_of(std::size_t length) {
  return std::uint64_t{1} << std::min<std::size_t>(length, 63);
}

std::string lowered(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

// Greedy with one point of return: linear for one `*`, at worst |glob| * |text|.
bool glob_matches(std::string_view glob, std::string_view text) {
  std::size_t g = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (g < glob.size() && (glob[g] == '?' || (glob[g] != '*' && glob[g] == text[t]))) {
      ++g, ++t;
    } else if (g < glob.size() && glob[g] == '*') {
      star = g++;
      resume = t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

}  // namespace

std::vector<std::string> default_sensitive_keys() {
  return {"Authorization", "Cookie", "Set-Cookie", "X-API-Key", "X-Auth-Token", "Proxy-Authorization"};
}

SensitiveKeys::SensitiveKeys(std::span<const std::string> keys) {
  for (const auto& key : keys) {
    if (key.empty()) continue;
    if (key.find_first_of("*?") == std::string::npos) {
      lengths_ |= bit_of(key.size());
      exact_.insert(lowered(key));
    } else {
      globs_.push_back(lowered(key));
    }
  }
}

bool SensitiveKeys::matches(std::string_view name) const {
  const bool may_be_exact = (lengths_ & bit_of(name.size())) != 0;
  if (globs_.empty() && !may_be_exact) return false;
  // Names are short: no memory is asked for.
  std::array<char, 64> room;
  std::string long_name;
  std::string_view folded;
  if (name.size() <= room.size()) {
    std::transform(name.begin(), name.end(), room.begin(), lower);
    folded = {room.data(), name.size()};
  } else {
    long_name = lowered(name);
    folded = long_name;
  }
  if (may_be_exact && exact_.contains(folded)) return true;
  return std::any_of(globs_.begin(), globs_.end(), [&](const auto& glob) { return glob_matches(glob, folded); });
}

}  // namespace cameleer
