#include "server/ingest/json_views.hpp"

#include <fmt/format.h>

namespace cameleer::server {
namespace {

constexpr std::size_t kWhole = 24;  // 2026-11-22T01:02:03.456Z

bool is_usual_form(std::string_view text) {
  return text.size() == kWhole && text[19] == '.' && text[23] == 'Z';
}

}  // namespace

bool read_text(JsonMembers& members, std::string_view member, JsonMembers::Element value, std::string_view& into) {
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) return into = text, true;
  return value.is_null() || members.refuse(member, "must be a string");
}

bool read_name(JsonMembers& members, std::string_view member, JsonMembers::Element value, std::string_view& into,
               std::size_t characters) {
  std::string_view text;
  if (value.is_null()) return true;
  if (!read_text(members, member, value, text)) return false;
  if (text.size() > characters || std::memchr(text.data(), '\0', text.size()) != nullptr) {
    std::string exact;
    if (!members.name(member, value, exact, characters)) return false;
  }
  into = text;
  return true;
}

bool read_map(JsonMembers& members, std::string_view member, JsonMembers::Element value, std::size_t most,
              MapView& into) {
  simdjson::dom::object object;
  if (value.is_null()) return true;
  if (value.get(object) != simdjson::SUCCESS) return members.refuse(member, "must be an object of strings");
  std::size_t entries = 0;
  for (const auto field : object) {
    if (field.value.is_null()) continue;
    if (!field.value.is_string()) {
      members.enter(member);
      members.refuse(field.key, "must be a string");
      members.leave();
      return false;
    }
    if (entries++ == most) return members.refuse(member, fmt::format("must have at most {} members", most));
  }
  into = MapView(object, entries);
  return true;
}

std::optional<Instant> InstantReader::within_known_minute(std::string_view text) const {
  if (!is_usual_form(text) || std::memcmp(text.data(), known_.data(), kMinute) != 0) return std::nullopt;
  constexpr std::array<std::int64_t, 5> kWorth{10'000, 1'000, 100, 10, 1};
  const std::array digits{text[17], text[18], text[20], text[21], text[22]};
  if (digits[0] > '5') return std::nullopt;
  std::int64_t milliseconds = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (digits[i] < '0' || digits[i] > '9') return std::nullopt;
    milliseconds += (digits[i] - '0') * kWorth[i];
  }
  return minute_ + std::chrono::milliseconds(milliseconds);
}

bool InstantReader::read(JsonMembers& members, std::string_view member, JsonMembers::Element value,
                         std::optional<Instant>& into) {
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) {
    if (const auto known = within_known_minute(text)) return into = known, true;
  }
  if (!members.instant(member, value, into)) return false;
  if (is_usual_form(text)) {
    std::memcpy(known_.data(), text.data(), kMinute);
    minute_ = std::chrono::floor<std::chrono::minutes>(*into);
  }
  return true;
}

}  // namespace cameleer::server
