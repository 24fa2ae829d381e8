#include <fmt/format.h>

#include <algorithm>
#include <cameleer/core/json_members.hpp>
#include <limits>

namespace cameleer {
namespace {

std::size_t characters_of(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

void append_escaped(std::string& pointer, std::string_view member) {
  for (const char c : member) {
    if (c == '~')
      pointer += "~0";
    else if (c == '/')
      pointer += "~1";
    else
      pointer += c;
  }
}

}  // namespace

std::string JsonMembers::pointer(std::string_view member) const {
  std::string text;
  for (const auto& segment : path_) {
    text += '/';
    if (const auto* index = std::get_if<std::size_t>(&segment))
      text += std::to_string(*index);
    else
      append_escaped(text, std::get<std::string_view>(segment));
  }
  if (!member.empty()) {
    text += '/';
    append_escaped(text, member);
  }
  return text;
}

bool JsonMembers::refuse(std::string_view member, std::string_view rule) {
  auto where = pointer(member);
  error = Error{ErrorCode::invalid_member,
                where.empty() ? fmt::format("The body {}.", rule) : fmt::format("Member {} {}.", where, rule), where};
  return false;
}

bool JsonMembers::text(std::string_view member, Element value, std::string& into) {
  std::string_view text;
  if (value.is_null()) return true;
  if (value.get(text) != simdjson::SUCCESS) return refuse(member, "must be a string");
  into = text;
  return true;
}

bool JsonMembers::name(std::string_view member, Element value, std::string& into, std::size_t characters) {
  if (!text(member, value, into)) return false;
  if (into.find('\0') != std::string::npos) return refuse(member, "must not contain a NUL character");
  if (into.size() > characters && characters_of(into) > characters) {
    return refuse(member, fmt::format("must have at most {} characters", characters));
  }
  return true;
}

bool JsonMembers::instant(std::string_view member, Element value, std::optional<Instant>& into) {
  std::string_view text;
  if (value.is_null()) return true;
  if (value.get(text) != simdjson::SUCCESS || !(into = parse_instant(text))) {
    return refuse(member, "must be an ISO-8601 instant with an offset, such as 2026-11-22T01:02:03.456Z");
  }
  return true;
}

bool JsonMembers::whole(std::string_view member, Element value, std::int64_t most, std::optional<std::int64_t>& into) {
  std::int64_t number = 0;
  if (value.is_null()) return true;
  if (!value.is_int64() || value.get(number) != simdjson::SUCCESS || number < 0 || number > most) {
    return refuse(member, fmt::format("must be a whole number from 0 to {}", most));
  }
  into = number;
  return true;
}

bool JsonMembers::milliseconds(std::string_view member, Element value, std::optional<std::int64_t>& into) {
  return whole(member, value, std::int64_t{1} << 53, into);
}

bool JsonMembers::index(std::string_view member, Element value, std::optional<std::int32_t>& into) {
  std::optional<std::int64_t> number;
  if (!whole(member, value, std::numeric_limits<std::int32_t>::max(), number)) return false;
  if (number) into = static_cast<std::int32_t>(*number);
  return true;
}

bool JsonMembers::sequence(std::string_view member, Element value, std::optional<std::uint32_t>& into) {
  std::optional<std::int64_t> number;
  if (!whole(member, value, std::numeric_limits<std::int32_t>::max(), number)) return false;
  if (number) into = static_cast<std::uint32_t>(*number);
  return true;
}

bool JsonMembers::boolean(std::string_view member, Element value, std::optional<bool>& into) {
  bool flag = false;
  if (value.is_null()) return true;
  if (value.get(flag) != simdjson::SUCCESS) return refuse(member, "must be true or false");
  into = flag;
  return true;
}

bool JsonMembers::map(std::string_view member, Element value, StringMap& into, std::size_t most) {
  simdjson::dom::object object;
  if (value.is_null()) return true;
  if (value.get(object) != simdjson::SUCCESS) return refuse(member, "must be an object of strings");
  into.clear();
  for (const auto field : object) {
    if (field.value.is_null()) continue;
    std::string_view text;
    if (field.value.get(text) != simdjson::SUCCESS) {
      enter(member);
      refuse(field.key, "must be a string");
      leave();
      return false;
    }
    if (into.size() == most) return refuse(member, fmt::format("must have at most {} members", most));
    into.emplace_back(field.key, text);
  }
  return true;
}

bool JsonMembers::body(std::string_view member, Element value, std::optional<Body>& into) {
  if (value.is_null()) return true;
  Body body;
  if (!text(member, value, body.text)) return false;
  body.size = body.text.size();
  into = std::move(body);
  return true;
}

}  // namespace cameleer
