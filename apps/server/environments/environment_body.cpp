#include "server/environments/environment_body.hpp"

#include <fmt/format.h>

#include <cameleer/core/json_members.hpp>

namespace cameleer::server {
namespace {

constexpr std::size_t kLongestText = 256, kMaxDepth = 64;
constexpr std::int64_t kMostDays = 36'500, kMostVersions = 100'000;

using Element = JsonMembers::Element;
using Number = EnvironmentChange::Number;

bool read_words(JsonMembers& members, std::string_view name, Element value, std::string& into) {
  if (!members.name(name, value, into, kLongestText)) return false;
  if (into.find_first_not_of(" \t\r\n") == std::string::npos) return members.refuse(name, "must not be blank");
  return true;
}

template <std::optional<Number> EnvironmentChange::* Member, std::int64_t most>
bool read_number(JsonMembers& members, std::string_view name, Element value, EnvironmentBody& into) {
  auto& number = (into.change.*Member).emplace();
  if (value.is_null()) return true;
  std::int64_t given = 0;
  if (!value.is_int64() || value.get(given) != simdjson::SUCCESS || given < 1 || given > most) {
    return members.refuse(name, fmt::format("must be a whole number from 1 to {}, or null", most));
  }
  number = given;
  return true;
}

constexpr MemberRule<EnvironmentBody> kEnvironment[] = {
    {"slug", [](JsonMembers& members, std::string_view name, Element value,
                EnvironmentBody& into) { return members.name(name, value, into.slug, kLongestText); }},
    {"displayName",
     [](JsonMembers& members, std::string_view name, Element value, EnvironmentBody& into) {
       return value.is_null() || read_words(members, name, value, into.change.display_name.emplace());
     }},
    {"executionRetentionDays", read_number<&EnvironmentChange::execution_retention_days, kMostDays>},
    {"logRetentionDays", read_number<&EnvironmentChange::log_retention_days, kMostDays>},
    {"metricRetentionDays", read_number<&EnvironmentChange::metric_retention_days, kMostDays>},
    {"jarRetentionCount", read_number<&EnvironmentChange::jar_retention_count, kMostVersions>},
};

constexpr MemberRule<std::string> kLabel[] = {
    {"label", [](JsonMembers& members, std::string_view name, Element value,
                 std::string& into) { return value.is_null() || read_words(members, name, value, into); }},
};

template <class Record, std::size_t count>
Expected<Record> read(std::string_view body, const MemberRule<Record> (&rules)[count]) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::object object;
  if (parser.allocate(std::max<std::size_t>(body.size(), 64), kMaxDepth) != simdjson::SUCCESS ||
      parser.parse(body.data(), body.size(), /*realloc_if_needed=*/true).get(root) != simdjson::SUCCESS ||
      root.get(object) != simdjson::SUCCESS) {
    return fail(ErrorCode::malformed_body, "The body must be a JSON object.");
  }
  JsonMembers members;
  Record record{};
  if (!read_members<Record>(members, object, rules, record)) return std::unexpected(std::move(*members.error));
  return record;
}

}  // namespace

Expected<EnvironmentBody> read_environment(std::string_view body) {
  return read<EnvironmentBody>(body, kEnvironment);
}

Expected<std::string> read_label(std::string_view body) {
  auto label = read<std::string>(body, kLabel);
  if (label && label->empty()) {
    JsonMembers members;
    members.refuse("label", "is required and must not be blank");
    return std::unexpected(std::move(*members.error));
  }
  return label;
}

}  // namespace cameleer::server
