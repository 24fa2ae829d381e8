#include "license-minter/report.hpp"

#include <simdjson.h>

namespace cameleer::license_minter {
namespace {

std::string line(std::string_view name, std::string_view value) {
  return fmt::format("{:<16} {}\n", name, printable(value));
}

bool is_control(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x20 || byte == 0x7f) return true;
  // C1 controls are C2 80 to C2 9F.
  const auto next = at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : 0U;
  return byte == 0xc2 && next < 0xa0;
}

}  // namespace

std::string printable(std::string_view text) {
  const bool utf8 = simdjson::validate_utf8(text.data(), text.size());
  std::string shown;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (is_control(text, i) || (byte >= 0x80 && !utf8)) {
      shown += fmt::format("\\x{:02x}", byte);
      if (utf8 && byte == 0xc2) shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[++i]));
    } else {
      shown += text[i];
    }
  }
  return shown;
}

std::string seconds_of(Instant instant) {
  constexpr std::string_view kSeconds = "2027-04-26T23:59:59";
  return format_instant(instant).substr(0, kSeconds.size()) + 'Z';
}

std::string lines_of(const LicenseInfo& license) {
  auto text = line("licenseId", license.license_id) + line("tenantId", license.tenant_id) +
              line("label", license.label) + line("issuedAt", seconds_of(license.issued_at)) +
              line("expiresAt", seconds_of(license.expires_at)) +
              line("gracePeriodDays", std::to_string(license.grace_period_days));
  if (license.tier) text += line("tier", *license.tier);
  if (license.key_id) text += line("keyId", *license.key_id);
  for (const auto& feature : license.features) text += line("feature", feature);
  for (const auto limit : license_limits()) {
    if (const auto value = license.limits[limit]) text += fmt::format("  {:<30} {:>10}\n", name_of(limit), *value);
  }
  return text;
}

}  // namespace cameleer::license_minter
