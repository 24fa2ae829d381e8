#include "server/retention/retention_rules.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cameleer::server {
namespace {

constexpr std::array<std::string_view, 3> kKinds{"execution", "log", "metric"};
constexpr std::array<std::string_view, 3> kSources{"environment", "license", "default"};

std::string quoted(std::string_view text) {
  std::string literal = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') literal.push_back('\\');
    literal.push_back(c);
  }
  return literal += '\'';
}

}  // namespace

std::string_view name_of(TelemetryKind kind) {
  return kKinds[static_cast<std::size_t>(kind)];
}

std::optional<TelemetryKind> telemetry_kind_named(std::string_view name) {
  const auto* found = std::ranges::find(kKinds, name);
  if (found == kKinds.end()) return std::nullopt;
  return static_cast<TelemetryKind>(found - kKinds.begin());
}

LicenseLimit cap_of(TelemetryKind kind) {
  switch (kind) {
    case TelemetryKind::execution:
      return LicenseLimit::max_execution_retention_days;
    case TelemetryKind::log:
      return LicenseLimit::max_log_retention_days;
    case TelemetryKind::metric:
      break;
  }
  return LicenseLimit::max_metric_retention_days;
}

std::string_view name_of(RetentionSource source) {
  return kSources[static_cast<std::size_t>(source)];
}

EffectiveDays effective_days(std::optional<std::int64_t> wished, std::chrono::days setting, std::int64_t cap) {
  const auto asked = wished.value_or(setting.count());
  if (cap < asked) return {.days = std::chrono::days(cap), .decided_by = RetentionSource::license};
  return {.days = std::chrono::days(asked),
          .decided_by = wished ? RetentionSource::environment : RetentionSource::setting};
}

RetentionHistory advance(std::optional<RetentionHistory> known, std::chrono::days days, Instant now,
                         std::chrono::days delay) {
  if (!known) return {.days = days};
  auto history = *std::move(known);
  if (days < history.days) history.earlier.push_back({.days = history.days, .until = now});
  history.days = days;
  std::erase_if(history.earlier, [&](const EarlierDays& one) { return one.days <= days || one.until + delay <= now; });
  return history;
}

std::string ttl_of(const RetentionClauses& clauses, std::string_view time) {
  std::map<std::chrono::days, std::string> by_days;
  for (const auto& [environment, days] : clauses) {
    auto& names = by_days[days];
    names += (names.empty() ? "" : ", ") + quoted(environment);
  }
  std::string ttl;
  for (const auto& [days, names] : by_days) {
    ttl += fmt::format("{}{} + toIntervalDay({}) WHERE environment IN ({})", ttl.empty() ? "" : ", ", time,
                       days.count(), names);
  }
  return ttl;
}

bool shortens(const RetentionClauses& before, const RetentionClauses& after) {
  return std::ranges::any_of(after, [&before](const auto& clause) {
    const auto was = before.find(clause.first);
    return was == before.end() || clause.second < was->second;
  });
}

}  // namespace cameleer::server
