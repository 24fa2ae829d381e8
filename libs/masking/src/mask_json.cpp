#include <simdjson.h>

#include "mask_spans.hpp"

namespace cameleer {

struct JsonMask::Impl {
  simdjson::dom::parser parser;
  simdjson::dom::parser key_parser;
  std::string padded;

  const char* with_padding(std::string_view text) {
    padded.assign(text);
    padded.reserve(text.size() + simdjson::SIMDJSON_PADDING);
    return padded.data();
  }

  bool valid(std::string_view text) {
    auto error = parser.parse(with_padding(text), text.size(), false).error();
    if (error == simdjson::DEPTH_ERROR) {
      // Rare, so the room for it is made only then. A text cannot be deeper than it has bytes.
      if (parser.allocate(text.size(), text.size()) != simdjson::SUCCESS) return false;
      error = parser.parse(padded.data(), text.size(), false).error();
    }
    return error == simdjson::SUCCESS;
  }

  bool matches(std::string_view quoted, const SensitiveKeys& keys) {
    if (quoted.find('\\') == std::string_view::npos) return keys.matches(quoted.substr(1, quoted.size() - 2));
    std::string_view name;
    return key_parser.parse(quoted.data(), quoted.size(), true).get(name) == simdjson::SUCCESS && keys.matches(name);
  }
};

namespace {

// These walk JSON that is known to be valid.
bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::size_t skip_space(std::string_view text, std::size_t at) {
  while (at < text.size() && is_space(text[at])) ++at;
  return at;
}

std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

std::size_t end_of_value(std::string_view text, std::size_t at) {
  if (text[at] == '"') return end_of_string(text, at);
  if (text[at] != '{' && text[at] != '[') {
    while (at < text.size() && !is_space(text[at]) && text[at] != ',' && text[at] != '}' && text[at] != ']') ++at;
    return at;
  }
  for (std::size_t depth = 0; at < text.size();) {
    const char c = text[at];
    if (c == '"') {
      at = end_of_string(text, at);
      continue;
    }
    ++at;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) break;
  }
  return at;
}

// Whether some member may have a secret name: quicker than looking at every string, and never wrong when it says no. A
// name ends with the quote before a colon and begins behind the quote before that, unless there is a backslash.
bool may_hold_secret(std::string_view text, const SensitiveKeys& keys) {
  for (auto colon = text.find(':'); colon != std::string_view::npos; colon = text.find(':', colon + 1)) {
    auto end = colon;
    while (end > 0 && is_space(text[end - 1])) --end;
    if (end < 2 || text[end - 1] != '"') continue;
    --end;
    auto begin = end;
    while (begin > 0 && text[begin - 1] != '"') {
      if (text[--begin] == '\\') return true;
    }
    if (begin > 1 && text[begin - 2] == '\\') return true;
    if (keys.matches(text.substr(begin, end - begin))) return true;
  }
  return false;
}

}  // namespace

JsonMask::JsonMask() : impl_(std::make_unique<Impl>()) {}
JsonMask::~JsonMask() = default;

std::optional<std::vector<Span>> JsonMask::find(std::string_view text, const SensitiveKeys& keys) {
  // Most texts hold no such name and need not be parsed.
  if (!may_hold_secret(text, keys) || !impl_->valid(text)) return std::nullopt;
  std::vector<Span> spans;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '"') {
      ++at;
      continue;
    }
    const auto end = end_of_string(text, at);
    const auto colon = skip_space(text, end);
    if (colon < text.size() && text[colon] == ':' && impl_->matches(text.substr(at, end - at), keys)) {
      const auto begin = skip_space(text, colon + 1);
      at = end_of_value(text, begin);
      spans.push_back({begin, at});
    } else {
      at = end;
    }
  }
  return spans;
}

}  // namespace cameleer
