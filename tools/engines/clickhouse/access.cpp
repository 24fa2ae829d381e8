#include "access.hpp"

#include <fmt/format.h>

#include <boost/beast/core/detail/base64.hpp>

namespace cameleer::engine {
namespace {

/// Takes the time of the expected text, whatever is presented.
bool same(std::string_view presented, std::string_view expected) {
  unsigned difference = presented.size() == expected.size() ? 0U : 1U;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const char other = i < presented.size() ? presented[i] : '\0';
    difference |= static_cast<unsigned char>(other) ^ static_cast<unsigned char>(expected[i]);
  }
  return difference == 0;
}

std::optional<Credentials> basic(std::string_view header) {
  constexpr std::string_view scheme = "Basic ";
  if (!header.starts_with(scheme) || header.size() > 4096) return std::nullopt;
  header.remove_prefix(scheme.size());
  namespace base64 = boost::beast::detail::base64;
  std::string text(base64::decoded_size(header.size()), '\0');
  text.resize(base64::decode(text.data(), header.data(), header.size()).first);
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return std::nullopt;
  return Credentials{text.substr(0, colon), text.substr(colon + 1)};
}

std::optional<Credentials> presented(const RequestReader& request) {
  const auto user = request.header("X-ClickHouse-User");
  const auto key = request.header("X-ClickHouse-Key");
  if (!user.empty() || !key.empty()) return Credentials{std::string(user.empty() ? "default" : user), std::string(key)};
  if (!request.header("Authorization").empty())
    return basic(request.header("Authorization")).value_or(Credentials{"", ""});
  const auto url_user = request.parameter("user");
  const auto url_password = request.parameter("password");
  if (url_user.empty() && url_password.empty()) return std::nullopt;
  return Credentials{std::string(url_user.empty() ? "default" : url_user), std::string(url_password)};
}

}  // namespace

std::optional<AccessRefusal> refuse_access(const RequestReader& request, const Credentials& expected) {
  if (expected.password.empty()) return std::nullopt;
  const auto given = presented(request);
  const Credentials& checked = given ? *given : Credentials{};
  const bool user_fits = same(checked.user, expected.user);
  const bool password_fits = same(checked.password, expected.password);
  if (given && user_fits && password_fits) return std::nullopt;
  std::string name = checked.user;
  std::erase_if(name, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  return AccessRefusal{given ? 403 : 401,
                       make_error(516, "AUTHENTICATION_FAILED",
                                  fmt::format("{}: Authentication failed: password is incorrect, or there is no user "
                                              "with such name",
                                              name))};
}

}  // namespace cameleer::engine
