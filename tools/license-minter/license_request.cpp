#include "license-minter/license_request.hpp"

#include <simdjson.h>

#include <charconv>

namespace cameleer::license_minter {
namespace {

std::unexpected<Failure> refuse(std::string_view flag, std::string_view rule) {
  return fail_with(ExitCode::usage, fmt::format("{} {}.", flag, rule));
}

/// `^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`, as servers check theirs.
bool is_tenant(std::string_view text) {
  static constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyz0123456789";
  constexpr std::size_t kLongest = 40;
  return !text.empty() && text.size() <= kLongest && kPlain.contains(text.front()) && kPlain.contains(text.back()) &&
         std::ranges::all_of(text, [](char one) { return one == '-' || kPlain.contains(one); });
}

std::string hex_uuid(std::array<std::byte, 16> bytes) {
  bytes[6] = (bytes[6] & std::byte{0x0f}) | std::byte{0x40};
  bytes[8] = (bytes[8] & std::byte{0x3f}) | std::byte{0x80};
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", std::to_integer<unsigned>(bytes[i]));
  }
  return text;
}

/// The flag that a member of a licence comes from.
std::string flag_at(std::string_view pointer) {
  constexpr std::pair<std::string_view, std::string_view> kFlags[] = {
      {"/tenantId", "--tenant"},   {"/label", "--label"},
      {"/expiresAt", "--expires"}, {"/gracePeriodDays", "--grace-days"},
      {"/tier", "--tier"},         {"/keyId", "--key-id"},
      {"/features", "--feature"}};
  for (const auto& [member, flag] : kFlags) {
    if (pointer.starts_with(member)) return std::string(flag);
  }
  const auto limit = license_limit_named(pointer.substr(std::min(pointer.rfind('/') + 1, pointer.size())));
  return limit ? flag_of(*limit) : std::string(pointer);
}

bool is_utf8(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

Outcome<void> take_limits(const LicenseRequest& request, LicenseInfo& into) {
  if (request.tier) {
    const auto tier = license_tier_named(*request.tier);
    if (!tier || *tier == LicenseTier::none) return refuse("--tier", "must be starter, team, business or enterprise");
    into.tier = request.tier;
    for (const auto limit : license_limits()) into.limits.set(limit, tier_limit(*tier, limit));
  }
  for (const auto limit : license_limits()) {
    const auto& text = request.limits[static_cast<std::size_t>(limit)];
    if (!text) continue;
    const auto value = parse_whole(*text);
    if (!value || *value > largest_license_limit) {
      return refuse(flag_of(limit), fmt::format("must be a whole number from 0 to {}", largest_license_limit));
    }
    into.limits.set(limit, *value);
  }
  return {};
}

Outcome<void> take_term(const LicenseRequest& request, Instant now, LicenseInfo& into) {
  if (!request.expires) return refuse("--expires", "is missing");
  const auto expires = parse_expiry(*request.expires);
  if (!expires) {
    return refuse("--expires",
                  "must be a date (2027-04-26, its last second in UTC) or an instant (2027-04-26T18:00:00Z)");
  }
  into.issued_at = std::chrono::floor<std::chrono::seconds>(now);
  into.expires_at = std::chrono::floor<std::chrono::seconds>(*expires);
  if (into.expires_at <= now) return refuse("--expires", "must be in the future");
  if (!request.grace_days) return {};
  const auto days = parse_whole(*request.grace_days);
  if (!days || *days > longest_grace_days) {
    return refuse("--grace-days", fmt::format("must be a whole number from 0 to {}", longest_grace_days));
  }
  into.grace_period_days = *days;
  return {};
}

}  // namespace

std::string flag_of(LicenseLimit limit) {
  std::string flag = "--";
  for (const char one : name_of(limit)) flag += one == '_' ? '-' : one;
  return flag;
}

std::optional<std::int64_t> parse_whole(std::string_view text) {
  std::int64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || text.starts_with('-')) return std::nullopt;
  return value;
}

std::optional<Instant> parse_expiry(std::string_view text) {
  constexpr std::size_t kDate = std::string_view("2027-04-26").size();
  return parse_instant(text.size() == kDate ? std::string(text) + "T23:59:59Z" : std::string(text));
}

Outcome<LicenseInfo> license_of(const LicenseRequest& request, Instant now, const Random& random) {
  if (!request.tenant) return refuse("--tenant", "is missing");
  if (!is_tenant(*request.tenant)) {
    return refuse("--tenant", "must be 1 to 40 lower-case letters, digits and dashes, a dash neither first nor last");
  }
  if (request.label && !is_utf8(*request.label)) return refuse("--label", "must be UTF-8");
  if (!std::ranges::all_of(request.features, is_utf8)) return refuse("--feature", "must be UTF-8");
  std::array<std::byte, 16> bytes{};
  random(bytes);
  LicenseInfo license{.license_id = hex_uuid(bytes),
                      .tenant_id = *request.tenant,
                      .label = request.label.value_or(*request.tenant),
                      .key_id = request.key_id,
                      .features = request.features};
  if (auto taken = take_term(request, now, license); !taken) return std::unexpected(taken.error());
  if (auto taken = take_limits(request, license); !taken) return std::unexpected(taken.error());
  if (const auto ok = check_license(license); !ok) {
    return fail_with(ExitCode::usage, fmt::format("{}: {}", flag_at(ok.error().member), ok.error().message));
  }
  return license;
}

}  // namespace cameleer::license_minter
