#include <cameleer/core/license.hpp>
#include <catch2/catch.hpp>
#include <set>

using namespace cameleer;

namespace {

LicenseInfo licence() {
  LicenseInfo info{.license_id = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", .tenant_id = "acme", .label = "Acme"};
  info.issued_at = parse_instant("2026-04-26T16:33:12Z").value();
  info.expires_at = parse_instant("2027-04-26T23:59:59Z").value();
  return info;
}

}  // namespace

TEST_CASE("the plans are those of the price list, cell by cell") {
  struct Row {
    const char* limit;
    std::int64_t none, starter, team, business, enterprise;
  };
  const Row rows[] = {
      {"max_environments", 1, 2, 5, 10, 50},
      {"max_apps", 3, 10, 50, 200, 1000},
      {"max_agents", 5, 20, 100, 500, 5000},
      {"max_users", 3, 5, 25, 100, 1000},
      {"max_outbound_connections", 1, 5, 25, 100, 500},
      {"max_alert_rules", 2, 10, 50, 200, 1000},
      {"max_total_cpu_millis", 2000, 8000, 32000, 128000, 512000},
      {"max_total_memory_mb", 2048, 8192, 32768, 131072, 524288},
      {"max_total_replicas", 5, 25, 100, 500, 2000},
      {"max_execution_retention_days", 1, 7, 30, 90, 365},
      {"max_log_retention_days", 1, 7, 30, 90, 180},
      {"max_metric_retention_days", 1, 7, 30, 90, 180},
      {"max_jar_retention_count", 3, 5, 10, 25, 50},
  };
  REQUIRE(std::size(rows) == license_limit_count);
  REQUIRE(license_limits().size() == license_limit_count);
  for (const auto& row : rows) {
    CAPTURE(row.limit);
    const auto limit = license_limit_named(row.limit);
    REQUIRE(limit.has_value());
    CHECK(name_of(*limit) == row.limit);
    CHECK(tier_limit(LicenseTier::none, *limit) == row.none);
    CHECK(tier_limit(LicenseTier::starter, *limit) == row.starter);
    CHECK(tier_limit(LicenseTier::team, *limit) == row.team);
    CHECK(tier_limit(LicenseTier::business, *limit) == row.business);
    CHECK(tier_limit(LicenseTier::enterprise, *limit) == row.enterprise);
  }
}

TEST_CASE("limits and plans are found by their names and nothing else") {
  std::set<std::string_view> names;
  for (const auto limit : license_limits()) CHECK(names.insert(name_of(limit)).second);
  for (const auto* name : {"", "max_app", "max_appss", "MAX_APPS", "max-apps", "maxApps"}) {
    CHECK_FALSE(license_limit_named(name));
  }
  for (const auto* name : {"none", "starter", "team", "business", "enterprise"}) {
    CHECK(name_of(license_tier_named(name).value()) == name);
  }
  CHECK_FALSE(license_tier_named("Team"));
}

TEST_CASE("the signed bytes have sorted members, no white space and whole seconds") {
  auto info = licence();
  CHECK(canonical_payload(info) ==
        R"({"expiresAt":"2027-04-26T23:59:59Z","gracePeriodDays":0,"issuedAt":"2026-04-26T16:33:12Z","label":"Acme",)"
        R"("licenseId":"6f9619ff-8b86-4d01-b42d-00cf4fc964ff","limits":{},"tenantId":"acme"})");
  info.label = "Ac\"me\\ \xc3\xa4";
  info.issued_at += std::chrono::milliseconds(999);
  info.grace_period_days = 14;
  info.tier = "team";
  info.key_id = "2026";
  info.features = {"lineage", "debugger"};
  info.limits.set(LicenseLimit::max_users, 25);
  info.limits.set(LicenseLimit::max_apps, 0);
  info.limits.set(LicenseLimit::max_agents, largest_license_limit);
  CHECK(canonical_payload(info) ==
        R"({"expiresAt":"2027-04-26T23:59:59Z","features":["lineage","debugger"],"gracePeriodDays":14,)"
        R"("issuedAt":"2026-04-26T16:33:12Z","keyId":"2026","label":"Ac\"me\\ )"
        "\xc3\xa4"
        R"(","licenseId":"6f9619ff-8b86-4d01-b42d-00cf4fc964ff","limits":{"max_agents":9007199254740991,"max_apps":0,)"
        R"("max_users":25},"tenantId":"acme","tier":"team"})");
}

TEST_CASE("a licence that no server would take is refused by the name of its member") {
  struct Row {
    const char* member;
    void (*spoil)(LicenseInfo&);
  };
  const Row rows[] = {
      {"/licenseId", [](auto& info) { info.license_id = "7"; }},
      {"/licenseId", [](auto& info) { info.license_id[0] = 'g'; }},
      {"/licenseId", [](auto& info) { info.license_id[8] = '0'; }},
      {"/tenantId", [](auto& info) { info.tenant_id = ""; }},
      {"/tenantId", [](auto& info) { info.tenant_id = "Acme"; }},
      {"/tenantId", [](auto& info) { info.tenant_id = "-acme"; }},
      {"/tenantId", [](auto& info) { info.tenant_id = "acme-"; }},
      {"/tenantId", [](auto& info) { info.tenant_id = std::string(41, 'a'); }},
      {"/label", [](auto& info) { info.label = ""; }},
      {"/label", [](auto& info) { info.label = std::string(201, 'a'); }},
      {"/label", [](auto& info) { info.label = "a\nb"; }},
      {"/label", [](auto& info) { info.label = "\xff"; }},
      {"/tier", [](auto& info) { info.tier = ""; }},
      {"/tier", [](auto& info) { info.tier = "\xc0\xaf"; }},
      {"/keyId", [](auto& info) { info.key_id = "a b"; }},
      {"/keyId", [](auto& info) { info.key_id = std::string(65, 'a'); }},
      {"/features", [](auto& info) { info.features.assign(65, "a"); }},
      {"/features/1", [](auto& info) { info.features = {"a", ""}; }},
      {"/limits/max_apps", [](auto& info) { info.limits.set(LicenseLimit::max_apps, -1); }},
      {"/limits/max_users", [](auto& info) { info.limits.set(LicenseLimit::max_users, largest_license_limit + 1); }},
      {"/expiresAt", [](auto& info) { info.expires_at = info.issued_at - std::chrono::seconds(1); }},
      {"/gracePeriodDays", [](auto& info) { info.grace_period_days = -1; }},
      {"/gracePeriodDays", [](auto& info) { info.grace_period_days = longest_grace_days + 1; }},
  };
  CHECK(check_license(licence()).has_value());
  for (const auto& row : rows) {
    auto info = licence();
    row.spoil(info);
    const auto checked = check_license(info);
    CAPTURE(row.member);
    REQUIRE_FALSE(checked.has_value());
    CHECK(checked.error().member == row.member);
    CHECK(checked.error().message.starts_with("Member " + std::string(row.member) + " must"));
  }
}
