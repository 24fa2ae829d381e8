#include "server/executions/search_parameters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace cameleer::server {
namespace {

std::unexpected<Error> wrong(std::string_view name, std::string_view rule) {
  return fail(ErrorCode::invalid_parameter, fmt::format("Parameter `{}` {}.", name, rule), std::string(name));
}

Expected<Instant> instant_of_text(std::string_view name, std::string_view value) {
  if (auto instant = parse_instant(value)) return *instant;
  return wrong(name, "must be an ISO-8601 instant with an offset, such as 2026-11-22T01:02:03.456Z");
}

Expected<std::int64_t> number_of_text(std::string_view name, std::string_view value) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || number < 0) {
    return wrong(name, "must be a whole number, not negative");
  }
  return number;
}

// One row a parameter: how its value gets into the search.
struct Rule {
  std::string_view name;
  bool repeatable;
  Expected<void> (*read)(std::string_view name, std::string_view value, SearchParameters& into);
};

template <auto Member>
Expected<void> add(std::string_view, std::string_view value, SearchParameters& into) {
  (into.filter.*Member).emplace_back(value);
  return {};
}

template <auto Member>
Expected<void> set_text(std::string_view name, std::string_view value, SearchParameters& into) {
  if (value.empty()) return wrong(name, "must not be empty");
  into.filter.*Member = value;
  return {};
}

template <auto Member>
Expected<void> set_instant(std::string_view name, std::string_view value, SearchParameters& into) {
  auto instant = instant_of_text(name, value);
  if (!instant) return std::unexpected(std::move(instant.error()));
  into.filter.*Member = *instant;
  return {};
}

template <auto Member>
Expected<void> set_number(std::string_view name, std::string_view value, SearchParameters& into) {
  auto number = number_of_text(name, value);
  if (!number) return std::unexpected(std::move(number.error()));
  into.filter.*Member = *number;
  return {};
}

Expected<void> set_limit(std::string_view name, std::string_view value, SearchParameters& into) {
  auto number = number_of_text(name, value);
  if (!number) return std::unexpected(std::move(number.error()));
  into.filter.limit = static_cast<std::uint32_t>(std::min<std::int64_t>(*number, ExecutionFilter::max_limit + 1));
  return {};
}

Expected<void> set_cursor(std::string_view name, std::string_view value, SearchParameters& into) {
  if (value.empty()) return wrong(name, "must not be empty");
  into.cursor = value;
  return {};
}

using Filter = ExecutionFilter;
constexpr Rule kRules[] = {
    {"status", true, add<&Filter::statuses>},
    {"from", false, set_instant<&Filter::from>},
    {"to", false, set_instant<&Filter::to>},
    {"durationMin", false, set_number<&Filter::duration_min_ms>},
    {"durationMax", false, set_number<&Filter::duration_max_ms>},
    {"application", true, add<&Filter::applications>},
    {"routeId", true, add<&Filter::route_ids>},
    {"instanceId", true, add<&Filter::instance_ids>},
    {"correlationId", false, set_text<&Filter::correlation_id>},
    {"exchangeId", false, set_text<&Filter::exchange_id>},
    {"text", false, set_text<&Filter::text>},
    {"attribute", true, add<&Filter::attributes>},
    {"textInErrors", false, set_text<&Filter::error_words>},
    {"textInHeaders", false, set_text<&Filter::header_words>},
    {"limit", false, set_limit},
    {"cursor", false, set_cursor},
};

}  // namespace

Expected<SearchParameters> read_search(const web::Request& request) {
  SearchParameters search;
  std::vector<std::string_view> seen;
  for (const auto& [name, value] : request.query) {
    const auto* rule =
        std::find_if(std::begin(kRules), std::end(kRules), [&](const Rule& r) { return r.name == name; });
    if (rule == std::end(kRules)) return wrong(name, "is not known here");
    if (!rule->repeatable && std::find(seen.begin(), seen.end(), rule->name) != seen.end()) {
      return wrong(name, "must be given once");
    }
    seen.push_back(rule->name);
    if (auto read = rule->read(rule->name, value, search); !read) return std::unexpected(std::move(read.error()));
  }
  return search;
}

Expected<std::optional<Instant>> read_at(const web::Request& request) {
  std::optional<Instant> at;
  for (const auto& [name, value] : request.query) {
    if (name != "at") return wrong(name, "is not known here");
    if (at) return wrong(name, "must be given once");
    auto instant = instant_of_text(name, value);
    if (!instant) return std::unexpected(std::move(instant.error()));
    at = *instant;
  }
  return at;
}

}  // namespace cameleer::server
