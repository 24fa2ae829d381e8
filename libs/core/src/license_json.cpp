#include <algorithm>

#include "license_reader.hpp"

namespace cameleer::license_json {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kMaxDepth = 8;
constexpr std::int64_t kEndOfInstants = 9'214'646'400;  // 2262-01-01T00:00:00Z

/// The bound on levels of the parser bounds the recursion.
bool has_repetition(dom::element value) {
  dom::object object;
  dom::array array;
  if (value.get(array) == simdjson::SUCCESS) return std::any_of(array.begin(), array.end(), has_repetition);
  if (value.get(object) != simdjson::SUCCESS) return false;
  std::vector<std::string_view> names;
  for (const auto field : object) {
    names.push_back(field.key);
    if (has_repetition(field.value)) return true;
  }
  std::ranges::sort(names);
  return std::ranges::adjacent_find(names) != names.end();
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const auto first = text.find_first_not_of(space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

LicenseVerdict<dom::object> parse(dom::parser& parser, std::string_view json) {
  dom::element root;
  dom::object object;
  if (parser.allocate(std::max<std::size_t>(json.size(), 64), kMaxDepth) != simdjson::SUCCESS ||
      parser.parse(json.data(), json.size(), /*realloc_if_needed=*/true).get(root) != simdjson::SUCCESS) {
    return reject(LicenseReason::MALFORMED, "The content is no valid JSON of at most 8 levels.");
  }
  if (root.get(object) != simdjson::SUCCESS) {
    return reject(LicenseReason::MALFORMED, "The content is no JSON object.");
  }
  if (has_repetition(root)) return reject(LicenseReason::MALFORMED, "The content has a member twice.");
  return object;
}

std::optional<Instant> read_instant(dom::element value) {
  std::string_view text;
  std::int64_t seconds = 0;
  if (value.get(text) == simdjson::SUCCESS) return text.ends_with('Z') ? parse_instant(text) : std::nullopt;
  if (!value.is_int64() || value.get(seconds) != simdjson::SUCCESS) return std::nullopt;
  if (seconds < 0 || seconds >= kEndOfInstants) return std::nullopt;
  return Instant(std::chrono::seconds(seconds));
}

LicenseVerdict<std::optional<std::string>> read_jwt_header(std::string_view json) {
  dom::parser parser;
  const auto header = parse(parser, json);
  if (!header) return std::unexpected(header.error());
  const auto is = [&](std::string_view member, std::string_view expected) {
    std::string_view value;
    return header->at_key(member).get(value) == simdjson::SUCCESS && value == expected;
  };
  if (!is("alg", "EdDSA")) return reject(LicenseReason::MALFORMED, "The JWT's alg must be EdDSA.");
  if (!is("typ", "license+jwt")) return reject(LicenseReason::MALFORMED, "The JWT's typ must be license+jwt.");
  // Whoever does not understand a critical member must refuse (RFC 7515 §4.1.11), and none is known here.
  if (header->at_key("crit").error() == simdjson::SUCCESS) {
    return reject(LicenseReason::MALFORMED, "The JWT must not have a crit member.");
  }
  dom::element kid;
  if (header->at_key("kid").get(kid) != simdjson::SUCCESS) return std::nullopt;
  std::string_view text;
  if (kid.get(text) != simdjson::SUCCESS || !is_license_key_id(text)) {
    return reject(LicenseReason::MALFORMED, "The JWT's kid is no key id.");
  }
  return std::string(text);
}

}  // namespace cameleer::license_json
