#include "claim_values.hpp"

namespace cameleer::claims {
namespace {

using Element = simdjson::dom::element;

std::optional<std::string> text_of(Element value) {
  switch (value.type()) {
    case simdjson::dom::element_type::STRING:
      return std::string(value.get_string().value_unsafe());
    case simdjson::dom::element_type::INT64:
    case simdjson::dom::element_type::UINT64:
    case simdjson::dom::element_type::DOUBLE:
    case simdjson::dom::element_type::BOOL:
      return simdjson::minify(value);
    default:
      return std::nullopt;
  }
}

std::optional<Element> member(Element object, std::string_view name) {
  Element found;
  if (!object.is_object() || object.at_key(name).get(found) != simdjson::SUCCESS) return std::nullopt;
  return found;
}

std::optional<Element> descend(Element object, std::string_view path) {
  if (const auto whole = member(object, path)) return whole;
  for (auto dot = path.rfind('.'); dot != std::string_view::npos && dot > 0; dot = path.rfind('.', dot - 1)) {
    const auto inner = member(object, path.substr(0, dot));
    if (!inner) continue;
    if (auto found = descend(*inner, path.substr(dot + 1))) return found;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Element> find_claim(Element claims, std::string_view path) {
  auto found = descend(claims, path);
  if (found && found->is_null()) return std::nullopt;
  return found;
}

Values values_of(Element claim) {
  Values values;
  simdjson::dom::array array;
  if (claim.get(array) != simdjson::SUCCESS) {
    auto text = text_of(claim);
    values.comparable = text.has_value();
    if (text) values.elements.push_back(std::move(*text));
    return values;
  }
  values.is_array = true;
  for (const auto element : array) {
    auto text = text_of(element);
    if (!text) {
      values.comparable = false;
      return values;
    }
    values.elements.push_back(std::move(*text));
  }
  return values;
}

std::vector<std::string> split_at_spaces(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

bool left_out(Element claims, std::string_view path) {
  const auto names = member(claims, "_claim_names");
  if (names && member(*names, path)) return true;
  const auto has_groups = member(claims, "hasgroups");
  if (path != "groups" || !has_groups) return false;
  const auto text = text_of(*has_groups);
  return text && *text == "true";
}

}  // namespace cameleer::claims
