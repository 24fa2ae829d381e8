#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cameleer/core/license.hpp>
#include <iterator>

namespace cameleer {
namespace {

using enum LicenseLimit;

constexpr std::size_t kTiers = 5;
constexpr std::array<std::string_view, kTiers> kTierNames{"none", "starter", "team", "business", "enterprise"};

struct LimitRow {
  LicenseLimit limit;
  std::string_view name;
  std::array<std::int64_t, kTiers> tiers;  // none, starter, team, business, enterprise
};

constexpr std::array<LimitRow, license_limit_count> kLimits{{
    {max_environments, "max_environments", {1, 2, 5, 10, 50}},
    {max_apps, "max_apps", {3, 10, 50, 200, 1000}},
    {max_agents, "max_agents", {5, 20, 100, 500, 5000}},
    {max_users, "max_users", {3, 5, 25, 100, 1000}},
    {max_outbound_connections, "max_outbound_connections", {1, 5, 25, 100, 500}},
    {max_alert_rules, "max_alert_rules", {2, 10, 50, 200, 1000}},
    {max_total_cpu_millis, "max_total_cpu_millis", {2000, 8000, 32000, 128000, 512000}},
    {max_total_memory_mb, "max_total_memory_mb", {2048, 8192, 32768, 131072, 524288}},
    {max_total_replicas, "max_total_replicas", {5, 25, 100, 500, 2000}},
    {max_execution_retention_days, "max_execution_retention_days", {1, 7, 30, 90, 365}},
    {max_log_retention_days, "max_log_retention_days", {1, 7, 30, 90, 180}},
    {max_metric_retention_days, "max_metric_retention_days", {1, 7, 30, 90, 180}},
    {max_jar_retention_count, "max_jar_retention_count", {3, 5, 10, 25, 50}},
}};

constexpr auto limits_of_rows() {
  std::array<LicenseLimit, license_limit_count> limits{};
  for (std::size_t i = 0; i < limits.size(); ++i) limits[i] = kLimits[i].limit;
  return limits;
}
constexpr auto kOrder = limits_of_rows();

constexpr bool in_order() {
  for (std::size_t i = 0; i < kLimits.size(); ++i) {
    if (static_cast<std::size_t>(kLimits[i].limit) != i) return false;
  }
  return static_cast<std::size_t>(max_jar_retention_count) + 1 == license_limit_count;
}
static_assert(in_order(), "one row per limit, in the order of the enum");

constexpr std::size_t kLongestLabel = 200, kLongestWord = 64, kMostFeatures = 64, kLongestTenant = 40;

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

bool is_word(std::string_view text, std::size_t longest) {
  return !text.empty() && text.size() <= longest && std::ranges::none_of(text, is_control) &&
         simdjson::validate_utf8(text.data(), text.size());
}

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_tenant_id(std::string_view text) {
  return !text.empty() && text.size() <= kLongestTenant && is_lower_or_digit(text.front()) &&
         is_lower_or_digit(text.back()) &&
         std::ranges::all_of(text, [](char c) { return c == '-' || is_lower_or_digit(c); });
}

std::unexpected<Error> refuse(std::string_view member, std::string_view rule) {
  return fail(ErrorCode::invalid_member, fmt::format("Member {} {}.", member, rule), std::string(member));
}

Expected<void> check_texts(const LicenseInfo& license) {
  if (!is_license_id(license.license_id)) return refuse("/licenseId", "must be a UUID");
  if (!is_tenant_id(license.tenant_id)) {
    return refuse("/tenantId",
                  fmt::format("must have 1 to {} lower-case letters, digits and inner dashes", kLongestTenant));
  }
  if (!is_word(license.label, kLongestLabel)) {
    return refuse("/label", fmt::format("must have 1 to {} bytes of UTF-8 without control characters", kLongestLabel));
  }
  const auto word_rule = fmt::format("must have 1 to {} bytes of UTF-8 without control characters", kLongestWord);
  if (license.tier && !is_word(*license.tier, kLongestWord)) return refuse("/tier", word_rule);
  if (license.key_id && !is_license_key_id(*license.key_id)) {
    return refuse("/keyId", "must have 1 to 64 letters, digits, dots, underscores and dashes");
  }
  if (license.features.size() > kMostFeatures) {
    return refuse("/features", fmt::format("must have at most {} elements", kMostFeatures));
  }
  for (std::size_t i = 0; i < license.features.size(); ++i) {
    if (!is_word(license.features[i], kLongestWord)) return refuse(fmt::format("/features/{}", i), word_rule);
  }
  return {};
}

}  // namespace

std::span<const LicenseLimit> license_limits() {
  return kOrder;
}

std::string_view name_of(LicenseLimit limit) {
  return kLimits[static_cast<std::size_t>(limit)].name;
}

std::optional<LicenseLimit> license_limit_named(std::string_view name) {
  const auto* row = std::ranges::find(kLimits, name, &LimitRow::name);
  if (row == kLimits.end()) return std::nullopt;
  return row->limit;
}

std::string_view name_of(LicenseTier tier) {
  return kTierNames[static_cast<std::size_t>(tier)];
}

std::optional<LicenseTier> license_tier_named(std::string_view name) {
  const auto* found = std::ranges::find(kTierNames, name);
  if (found == kTierNames.end()) return std::nullopt;
  return static_cast<LicenseTier>(found - kTierNames.begin());
}

std::int64_t tier_limit(LicenseTier tier, LicenseLimit limit) {
  return kLimits[static_cast<std::size_t>(limit)].tiers[static_cast<std::size_t>(tier)];
}

bool is_license_key_id(std::string_view text) {
  return !text.empty() && text.size() <= kLongestWord && std::ranges::all_of(text, [](char c) {
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
  });
}

bool is_license_id(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (i == 8 || i == 13 || i == 18 || i == 23 ? c != '-' : !hex) return false;
  }
  return true;
}

Expected<void> check_license(const LicenseInfo& license) {
  if (auto texts = check_texts(license); !texts) return texts;
  for (const auto limit : license_limits()) {
    const auto value = license.limits[limit];
    if (value && (*value < 0 || *value > largest_license_limit)) {
      return refuse(fmt::format("/limits/{}", name_of(limit)),
                    fmt::format("must be a whole number from 0 to {}", largest_license_limit));
    }
  }
  if (license.expires_at < license.issued_at) return refuse("/expiresAt", "must not be before issuedAt");
  if (license.grace_period_days < 0 || license.grace_period_days > longest_grace_days) {
    return refuse("/gracePeriodDays", fmt::format("must be a whole number from 0 to {}", longest_grace_days));
  }
  return {};
}

}  // namespace cameleer
