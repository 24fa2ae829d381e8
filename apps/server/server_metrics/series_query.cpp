#include "server/server_metrics/series_query.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace cameleer::server {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMaxText = 256;
constexpr std::int64_t kUsualSteps = 300;

struct Given {
  SeriesQuery query;
  std::optional<Instant> from, to;
  std::optional<std::chrono::seconds> step;
};

std::unexpected<Error> wrong(std::string_view name, std::string_view rule) {
  return fail(ErrorCode::invalid_parameter, fmt::format("Parameter `{}` {}.", name, rule), std::string(name));
}

bool is_name(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !text.empty() && text.size() <= kMaxText && is_letter(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

bool is_value(std::string_view text) {
  return text.size() <= kMaxText && text.find('\0') == std::string_view::npos;
}

Expected<void> name(std::string_view value, Given& into) {
  if (!is_name(value)) return wrong("name", "must be the name of a metric: letters, digits and _, at most 256");
  into.query.name = value;
  return {};
}

template <auto Member>
Expected<void> instant(std::string_view parameter, std::string_view value, Given& into) {
  into.*Member = parse_instant(value);
  if (into.*Member) return {};
  return wrong(parameter, "must be an ISO-8601 instant with an offset, such as 2026-11-22T01:02:03.456Z");
}

Expected<void> step(std::string_view value, Given& into) {
  constexpr auto kMost = std::chrono::duration_cast<std::chrono::seconds>(SeriesQuery::max_range).count();
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (error != std::errc() || end != value.data() + value.size() || seconds < 1 || seconds > kMost) {
    return wrong("step", fmt::format("must be a whole number of seconds from 1 to {}", kMost));
  }
  into.step = std::chrono::seconds(seconds);
  return {};
}

Expected<void> sample_value(std::string_view value, Given& into) {
  using enum SampleValue;
  for (const auto one : {avg, min, max, latest, delta, rate}) {
    if (name_of(one) != value) continue;
    into.query.value = one;
    return {};
  }
  return wrong("value", "must be avg, min, max, latest, delta or rate");
}

Expected<void> label(std::string_view value, Given& into) {
  const auto equals = value.find('=');
  if (equals == std::string_view::npos || !is_name(value.substr(0, equals)) || !is_value(value.substr(equals + 1))) {
    return wrong("label", "must be a label's name, = and its value, such as kind=logs");
  }
  if (into.query.labels.size() == SeriesQuery::max_restrictions) return wrong("label", "may be given 20 times");
  into.query.labels.emplace_back(value.substr(0, equals), value.substr(equals + 1));
  return {};
}

Expected<void> instance(std::string_view value, Given& into) {
  if (value.empty() || !is_value(value)) return wrong("instanceId", "must have 1 to 256 bytes without NUL");
  if (into.query.instances.size() == SeriesQuery::max_restrictions) {
    return wrong("instanceId", "may be given 20 times");
  }
  into.query.instances.emplace_back(value);
  return {};
}

struct Rule {
  std::string_view name;
  bool repeatable, of_range;
  Expected<void> (*read)(std::string_view value, Given& into);
};
constexpr std::array kRules{
    Rule{"name", false, false, name},
    Rule{"from", false, true, [](std::string_view v, Given& into) { return instant<&Given::from>("from", v, into); }},
    Rule{"to", false, true, [](std::string_view v, Given& into) { return instant<&Given::to>("to", v, into); }},
    Rule{"step", false, false, step},
    Rule{"value", false, false, sample_value},
    Rule{"label", true, false, label},
    Rule{"instanceId", true, false, instance},
};

Expected<Given> read(const web::Request& request, bool range_alone) {
  Given given;
  std::vector<std::string_view> seen;
  for (const auto& [parameter, value] : request.query) {
    const auto* rule = std::ranges::find_if(kRules, [&](const Rule& one) { return one.name == parameter; });
    if (rule == kRules.end() || (range_alone && !rule->of_range)) return wrong(parameter, "is not known here");
    if (!rule->repeatable && std::ranges::find(seen, rule->name) != seen.end()) {
      return wrong(parameter, "must be given once");
    }
    seen.push_back(rule->name);
    if (auto done = rule->read(value, given); !done) return std::unexpected(std::move(done.error()));
  }
  return given;
}

Expected<SeriesRange> range_of(const Given& given, Instant now) {
  SeriesRange range{.from = {}, .to = given.to.value_or(now)};
  range.from = given.from.value_or(std::max(Instant{}, range.to - 1h));
  if (range.from >= range.to) return wrong(given.from ? "from" : "to", "must leave a range: `from` before `to`");
  if (range.to - range.from > SeriesQuery::max_range) return wrong("from", "must be at most 31 days before `to`");
  return range;
}

}  // namespace

std::string_view name_of(SampleValue value) {
  static constexpr std::array<std::string_view, 6> kNames{"avg", "min", "max", "latest", "delta", "rate"};
  return kNames[static_cast<std::size_t>(value)];
}

Expected<SeriesQuery> read_series_query(const web::Request& request, Instant now, std::chrono::seconds least_step) {
  auto given = read(request, false);
  if (!given) return std::unexpected(std::move(given.error()));
  if (given->query.name.empty()) return wrong("name", "is required");
  const auto range = range_of(*given, now);
  if (!range) return std::unexpected(range.error());
  auto query = std::move(given->query);
  const auto span = range->to - range->from;
  query.step =
      given->step.value_or(std::max({1s, least_step, std::chrono::ceil<std::chrono::seconds>(span / kUsualSteps)}));
  query.from = range->from - range->from.time_since_epoch() % query.step;
  query.to = range->to;
  if (span / query.step > SeriesQuery::max_steps) {
    return wrong("step", fmt::format("must leave at most {} steps of the range", SeriesQuery::max_steps));
  }
  return query;
}

Expected<SeriesRange> read_series_range(const web::Request& request, Instant now) {
  auto given = read(request, true);
  if (!given) return std::unexpected(std::move(given.error()));
  return range_of(*given, now);
}

}  // namespace cameleer::server
