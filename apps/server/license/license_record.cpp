#include "server/license/license_record.hpp"

namespace cameleer::server {
namespace {

namespace json = boost::json;

void describe(AuditEntry& entry, const LicenseStanding& standing, LicenseSource source) {
  entry.detail["state"] = name_of(standing.state);
  entry.detail["source"] = name_of(source);
  if (standing.rejection) {
    entry.detail["reason"] = name_of(standing.rejection->reason);
    entry.detail["message"] = standing.rejection->message;
  }
  if (!standing.license) return;
  entry.detail["label"] = standing.license->label;
  entry.detail["expiresAt"] = format_instant(standing.license->expires_at);
  json::object limits;
  for (const auto limit : license_limits()) limits[name_of(limit)] = standing.limits[limit];
  entry.detail["limits"] = std::move(limits);
}

std::string action_of(const LicenseRows& before, const LicenseStanding& now, const std::optional<std::string>& id) {
  if (now.state == LicenseState::INVALID) return "reject_license";
  if (now.state == LicenseState::ABSENT) return "remove_license";
  if (!before.license_id) return "install_license";
  return before.license_id == id ? "revalidate_license" : "replace_license";
}

}  // namespace

std::optional<std::string> license_id_of(const LicenseStanding& standing) {
  if (standing.license) return standing.license->license_id;
  if (standing.rejection && standing.rejection->license) return standing.rejection->license->license_id;
  return std::nullopt;
}

std::string text_of(const LicenseStanding& standing, LicenseSource source) {
  const auto reason = standing.rejection ? name_of(standing.rejection->reason) : std::string_view("-");
  auto text = fmt::format("{} {} {} {}", name_of(standing.state), name_of(source),
                          license_id_of(standing).value_or("-"), reason);
  for (const auto limit : license_limits()) text += fmt::format(" {}", standing.limits[limit]);
  return text;
}

std::optional<AuditEntry> entry_of(const LicenseRows& before, const LicenseStanding& now, LicenseSource source) {
  if (before.standing.empty() && now.state == LicenseState::ABSENT) return std::nullopt;
  const auto id = license_id_of(now);
  AuditEntry entry{.actor = system_actor(),
                   .category = AuditCategory::license,
                   .action = action_of(before, now, id),
                   .target = id.value_or(""),
                   .result = now.state == LicenseState::INVALID ? AuditResult::failure : AuditResult::success};
  describe(entry, now, source);
  if (entry.action == "remove_license") entry.target = before.license_id.value_or("");
  if (entry.action == "replace_license") entry.detail["previousLicenseId"] = *before.license_id;
  if (!before.standing.empty()) entry.detail["before"] = before.standing.substr(0, before.standing.find(' '));
  return entry;
}

AuditEntry installed(const LicenseRows& before, const LicenseStanding& now, AuditActor actor) {
  AuditEntry entry{.actor = std::move(actor),
                   .category = AuditCategory::license,
                   .action = before.stored_license_id ? "replace_license" : "install_license",
                   .target = license_id_of(now).value_or("")};
  describe(entry, now, LicenseSource::database);
  if (before.stored_license_id) entry.detail["previousLicenseId"] = *before.stored_license_id;
  return entry;
}

}  // namespace cameleer::server
