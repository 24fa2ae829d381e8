#include "target.hpp"

#include <simdjson.h>

#include <boost/url/pct_string_view.hpp>

namespace cameleer::web {
namespace {

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

Checked<void> check_encoding(std::string_view text) {
  for (auto at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 3)) {
    if (text.size() - at < 3 || !is_hex(text[at + 1]) || !is_hex(text[at + 2])) {
      return malformed("A percent sign in the request target is not followed by two hexadecimal digits.");
    }
    if (text[at + 1] == '0' && text[at + 2] == '0')
      return malformed("The request target contains an encoded NUL byte.");
  }
  return {};
}

Checked<void> check_utf8(std::string_view text) {
  if (simdjson::validate_utf8(text.data(), text.size())) return {};
  return malformed("The request target is not UTF-8 once its percent-encoding is undone.");
}

/// Segments are decoded one by one: an encoded slash is data, never a separator.
Checked<std::string> decode_path(std::string_view raw) {
  const bool encoded = raw.find('%') != std::string_view::npos;
  if (!encoded && raw.find("/.") == std::string_view::npos) return std::string(raw);
  std::string path;
  for (std::size_t at = 1; at <= raw.size();) {
    const auto end = std::min(raw.find('/', at), raw.size());
    auto segment = decode_checked(raw.substr(at, end - at));
    if (segment == "." || segment == "..") return malformed("The request target contains a dot segment.");
    path += '/';
    path += segment;
    at = end + 1;
  }
  if (auto valid = check_utf8(path); !valid) return std::unexpected(valid.error());
  return path;
}

}  // namespace

std::string_view raw_path(std::string_view target) {
  return target.substr(0, target.find('?'));
}

std::string decode_checked(std::string_view text, bool plus_is_space) {
  if (text.find('%') == std::string_view::npos && !(plus_is_space && text.find('+') != std::string_view::npos)) {
    return std::string(text);
  }
  boost::urls::encoding_opts options;
  options.space_as_plus = plus_is_space;
  return boost::urls::make_pct_string_view(text).value().decode(options);
}

Checked<void> parse_target(Request& request) {
  const std::string_view target = request.target;
  if (target.empty() || target.front() != '/') return malformed("The request target must start with a slash.");
  if (target.find('#') != std::string_view::npos) return malformed("The request target contains a fragment.");
  if (auto checked = check_encoding(target); !checked) return checked;

  const auto raw = raw_path(target);
  auto path = decode_path(raw);
  if (!path) return std::unexpected(path.error());
  request.path = std::move(*path);
  if (raw.size() == target.size()) return {};

  auto rest = target.substr(raw.size() + 1);
  while (!rest.empty()) {
    const auto end = std::min(rest.find('&'), rest.size());
    const auto pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    auto& [name, value] =
        request.query.emplace_back(decode_checked(pair.substr(0, equals), true),
                                   decode_checked(pair.substr(std::min(equals + 1, pair.size())), true));
    if (auto valid = check_utf8(name); !valid) return valid;
    if (auto valid = check_utf8(value); !valid) return valid;
  }
  return {};
}

}  // namespace cameleer::web
