#include "token_reader.hpp"

#include <algorithm>
#include <cameleer/identity/encoding.hpp>
#include <set>

namespace cameleer::identity {
namespace {

namespace dom = simdjson::dom;

constexpr double kLatestSecond = 9e9;  // the year 2255: far below what milliseconds can hold

bool is_token_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

}  // namespace

std::expected<TokenParts, TokenRejection> split_token(std::string_view token, std::size_t most_bytes) {
  using enum TokenRejection;
  if (token.size() > most_bytes) return std::unexpected(too_long);
  if (!std::ranges::all_of(token, is_token_character)) return std::unexpected(bad_character);
  const auto first = token.find('.');
  if (first == std::string_view::npos) return std::unexpected(bad_shape);
  const auto second = token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return std::unexpected(bad_shape);
  }
  return TokenParts{token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(second + 1),
                    token.substr(0, second)};
}

std::optional<TokenObject> TokenObject::parse(std::string text, std::size_t most_depth) {
  TokenObject object;
  object.text_ = std::make_unique<std::string>(std::move(text));
  object.parser_ = std::make_unique<dom::parser>(std::max<std::size_t>(object.text_->size(), 64));
  if (object.parser_->allocate(std::max<std::size_t>(object.text_->size(), 64), most_depth) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  dom::element root;
  if (object.parser_->parse(*object.text_).get(root) != simdjson::SUCCESS) return std::nullopt;
  if (root.get(object.members_) != simdjson::SUCCESS) return std::nullopt;
  std::set<std::string_view> names;
  for (const auto member : object.members_) {
    if (!names.insert(member.key).second) return std::nullopt;
  }
  return object;
}

std::optional<TokenObject> TokenObject::decode(std::string_view base64url_text, std::size_t most_depth) {
  auto text = decode_base64url(base64url_text);
  if (!text) return std::nullopt;
  return parse(std::move(*text), most_depth);
}

std::optional<dom::element> TokenObject::find(std::string_view name) const {
  dom::element element;
  if (members_.at_key(name).get(element) != simdjson::SUCCESS) return std::nullopt;
  return element;
}

std::string TokenObject::text(std::string_view name, bool& ok) const {
  const auto element = find(name);
  if (!element) return {};
  std::string_view value;
  if (element->get(value) != simdjson::SUCCESS) {
    ok = false;
    return {};
  }
  return std::string(value);
}

std::optional<Instant> TokenObject::instant(std::string_view name, bool& ok) const {
  const auto element = find(name);
  if (element && !element->is_int64()) ok = false;
  return numeric_date(name, ok);
}

std::optional<Instant> TokenObject::numeric_date(std::string_view name, bool& ok) const {
  const auto element = find(name);
  if (!element) return std::nullopt;
  double seconds = 0;
  if (element->get(seconds) != simdjson::SUCCESS || !(seconds >= 0 && seconds <= kLatestSecond)) {
    ok = false;
    return std::nullopt;
  }
  return Instant(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
}

}  // namespace cameleer::identity
