#include "server/ingest/json_records.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "server/ingest/decode_rules.hpp"

namespace cameleer::server {
namespace {

namespace dom = simdjson::dom;
using Element = JsonMembers::Element;

Error malformed(simdjson::error_code code) {
  switch (code) {
    case simdjson::EMPTY:
      return {ErrorCode::malformed_body, "The body is empty."};
    case simdjson::UTF8_ERROR:
      return {ErrorCode::malformed_body, "The body is not valid UTF-8."};
    case simdjson::DEPTH_ERROR:
      return {ErrorCode::malformed_body,
              fmt::format("The body is nested deeper than {} levels.", DecodeRules::max_depth)};
    case simdjson::MEMALLOC:
    case simdjson::CAPACITY:
      return {ErrorCode::overloaded, "There is no memory for this body now."};
    default:
      return {ErrorCode::malformed_body, "The body is not valid JSON."};
  }
}

bool within(Element value, std::size_t levels) {
  dom::array list;
  if (value.get(list) == simdjson::SUCCESS) {
    return levels > 0 &&
           std::all_of(list.begin(), list.end(), [levels](Element one) { return within(one, levels - 1); });
  }
  dom::object object;
  if (value.get(object) != simdjson::SUCCESS) return true;
  return levels > 0 &&
         std::all_of(object.begin(), object.end(), [levels](const auto& one) { return within(one.value, levels - 1); });
}

bool read_elements(JsonMembers& members, Element root, std::size_t most, const ReadElement& read) {
  if (root.is_object()) return read(members, 0, root);
  dom::array list;
  if (root.get(list) != simdjson::SUCCESS) return members.refuse({}, "must be an object or an array of objects");
  std::size_t index = 0;
  for (const auto value : list) {
    if (index == most) return members.refuse({}, fmt::format("must have at most {} elements", most));
    members.enter(index);
    if (!read(members, index++, value)) return false;
    members.leave();
  }
  return true;
}

}  // namespace

Expected<void> for_each_element(std::string& body, std::size_t most, const ReadElement& read) {
  // The tree form, not on-demand: it checks the syntax of every byte, skipped members included.
  dom::parser parser;
  if (auto code = parser.allocate(std::max<std::size_t>(body.size(), 64), DecodeRules::max_depth);
      code != simdjson::SUCCESS) {
    return std::unexpected(malformed(code));
  }
  body.reserve(body.size() + simdjson::SIMDJSON_PADDING);
  Element root;
  if (auto code = parser.parse(body.data(), body.size(), false).get(root); code != simdjson::SUCCESS) {
    return std::unexpected(malformed(code));
  }
  JsonMembers members;
  if (!read_elements(members, root, most, read)) return std::unexpected(*std::move(members.error));
  return {};
}

bool require(JsonMembers& members, std::initializer_list<std::pair<std::string_view, bool>> given) {
  for (const auto& [name, present] : given) {
    if (!present) return members.refuse(name, "is required and must not be empty");
  }
  return true;
}

bool read_object(JsonMembers& members, Element value, dom::object& into) {
  return value.get(into) == simdjson::SUCCESS || members.refuse({}, "must be an object");
}

bool read_list(JsonMembers& members, std::string_view member, Element value, std::optional<dom::array>& into) {
  dom::array list;
  if (value.is_null()) return true;
  if (value.get(list) != simdjson::SUCCESS) return members.refuse(member, "must be an array");
  into = list;
  return true;
}

bool read_json(JsonMembers& members, std::string_view member, Element value, std::size_t depth, std::size_t bytes,
               std::string& into) {
  if (!within(value, depth)) return members.refuse(member, fmt::format("must have at most {} levels", depth));
  into = simdjson::minify(value);
  if (into.size() > bytes) return members.refuse(member, fmt::format("must have at most {} bytes as JSON", bytes));
  return true;
}

}  // namespace cameleer::server
