#include <algorithm>
#include <cameleer/identity/credential_text.hpp>

namespace cameleer::identity {
namespace {

// As long as the part of a key that is shown anyway, or longer.
constexpr std::size_t kShortest = 12;

bool looks_like_credential(std::string_view segment) {
  if (segment.size() < kShortest) return false;
  // A JWS begins with the base64url of `{"`.
  return segment.starts_with("cmk_") || (segment.starts_with("eyJ") && segment.find('.') != std::string_view::npos);
}

}  // namespace

std::string without_credentials(std::string_view path) {
  std::string text;
  for (;;) {
    const auto end = std::min(path.find('/'), path.size());
    const auto segment = path.substr(0, end);
    text += looks_like_credential(segment) ? std::string_view("***") : segment;
    if (end == path.size()) return text;
    text += '/';
    path.remove_prefix(end + 1);
  }
}

}  // namespace cameleer::identity
