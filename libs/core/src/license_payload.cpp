#include <algorithm>
#include <cameleer/core/json_writer.hpp>
#include <cameleer/core/license_validation.hpp>

namespace cameleer {
namespace {

std::string to_seconds(Instant instant) {
  return format_instant(instant).substr(0, std::string_view("2027-04-26T23:59:59").size()) + "Z";
}

void put_limits(JsonWriter& json, const LicenseLimits& limits) {
  std::vector<LicenseLimit> sorted(license_limits().begin(), license_limits().end());
  std::ranges::sort(sorted, {}, [](LicenseLimit limit) { return name_of(limit); });
  json.begin_object();
  for (const auto limit : sorted) {
    if (const auto value = limits[limit]) json.key(name_of(limit)).number(*value);
  }
  json.end_object();
}

void put_texts(JsonWriter& json, const std::vector<std::string>& texts) {
  json.begin_array();
  for (const auto& text : texts) json.text(text);
  json.end_array();
}

}  // namespace

std::string canonical_payload(const LicenseInfo& license) {
  JsonWriter json;
  json.begin_object().key("expiresAt").text(to_seconds(license.expires_at));
  if (!license.features.empty()) put_texts(json.key("features"), license.features);
  json.key("gracePeriodDays").number(license.grace_period_days);
  json.key("issuedAt").text(to_seconds(license.issued_at));
  if (license.key_id) json.key("keyId").text(*license.key_id);
  json.key("label").text(license.label);
  json.key("licenseId").text(license.license_id);
  put_limits(json.key("limits"), license.limits);
  json.key("tenantId").text(license.tenant_id);
  if (license.tier) json.key("tier").text(*license.tier);
  return json.end_object().take();
}

std::string canonical_payload(const LicenseRevocations& revocations) {
  JsonWriter json;
  json.begin_object().key("issuedAt").text(to_seconds(revocations.issued_at));
  json.key("kind").text("revocations");
  put_texts(json.key("licenseIds"), revocations.license_ids);
  json.key("sequence").number(revocations.sequence);
  return json.end_object().take();
}

}  // namespace cameleer
