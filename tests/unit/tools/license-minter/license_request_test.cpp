#include <catch2/catch.hpp>
#include <license-minter/license_request.hpp>

using namespace cameleer;
using namespace cameleer::license_minter;

namespace {

const Instant kNow = *parse_instant("2026-11-22T08:00:00.789Z");

void fill(std::span<std::byte> bytes) {
  std::ranges::fill(bytes, std::byte{0xff});
}

LicenseRequest request() {
  return {.tenant = "acme", .expires = "2027-04-26"};
}

Outcome<LicenseInfo> settle(const LicenseRequest& asked) {
  return license_of(asked, kNow, fill);
}

}  // namespace

TEST_CASE("what is not said has the documented default") {
  const auto license = settle(request());
  REQUIRE(license);
  CHECK(license->license_id == "ffffffff-ffff-4fff-bfff-ffffffffffff");
  CHECK(license->tenant_id == "acme");
  CHECK(license->label == "acme");
  CHECK(license->issued_at == *parse_instant("2026-11-22T08:00:00Z"));
  CHECK(license->expires_at == *parse_instant("2027-04-26T23:59:59Z"));
  CHECK(license->grace_period_days == 0);
  CHECK(license->limits == LicenseLimits());
  CHECK_FALSE(license->tier);
  CHECK_FALSE(license->key_id);
  CHECK(license->features.empty());
}

TEST_CASE("a tier gives every cap, and a single flag overrides it") {
  for (const auto tier : {LicenseTier::starter, LicenseTier::team, LicenseTier::business, LicenseTier::enterprise}) {
    auto asked = request();
    asked.tier = std::string(name_of(tier));
    asked.limits[static_cast<std::size_t>(LicenseLimit::max_apps)] = "0";
    const auto license = settle(asked);
    REQUIRE(license);
    CHECK(license->tier == name_of(tier));
    for (const auto limit : license_limits()) {
      CHECK(license->limits[limit] == (limit == LicenseLimit::max_apps ? 0 : tier_limit(tier, limit)));
    }
  }
}

TEST_CASE("a date is its last second in UTC, an instant is itself") {
  const std::pair<std::string, std::string> rows[] = {{"2027-04-26", "2027-04-26T23:59:59Z"},
                                                      {"2028-02-29", "2028-02-29T23:59:59Z"},
                                                      {"2026-11-22", "2026-11-22T23:59:59Z"},
                                                      {"2027-04-26T18:00:00Z", "2027-04-26T18:00:00Z"},
                                                      {"2027-04-26T18:00:00.900Z", "2027-04-26T18:00:00Z"},
                                                      {"2027-04-26T18:00:00+02:00", "2027-04-26T16:00:00Z"}};
  for (const auto& [text, instant] : rows) {
    CAPTURE(text);
    auto asked = request();
    asked.expires = text;
    const auto license = settle(asked);
    REQUIRE(license);
    CHECK(license->expires_at == *parse_instant(instant));
  }
}

TEST_CASE("a flag's value that breaks its rule is refused by name") {
  using Value = std::optional<std::string> LicenseRequest::*;
  struct Row {
    Value flag;
    std::string name;
    std::vector<std::string> wrong;
  };
  const Row rows[] = {
      {&LicenseRequest::tenant,
       "--tenant",
       {"-a", "a-", "A", "a_b", "a b", "\xc3\xa4", "a.b", std::string(41, 'a'), "a\n", "../x"}},
      {&LicenseRequest::expires,
       "--expires",
       {"2026-11-21", "2025-01-01", "2026-11-22T08:00:00Z", "26.4.2027", "2027-4-26", "2027-02-29", "2027-13-01",
        "tomorrow", "2027-04-26T18:00:00", "9999-12-31", "1e10", "2027-04-26 "}},
      {&LicenseRequest::grace_days,
       "--grace-days",
       {"-1", "+1", "1.5", "1e3", "x", "3651", "99999999999999999999", " 1"}},
      {&LicenseRequest::tier, "--tier", {"none", "Team", "gold", "starter "}},
      {&LicenseRequest::label, "--label", {std::string(201, 'x'), "\xff"}},
      {&LicenseRequest::key_id, "--key-id", {"a b", std::string(65, 'k'), "\xc3\xa4"}},
  };
  for (const auto& [flag, name, wrong] : rows) {
    for (const auto& value : wrong) {
      CAPTURE(name, value);
      auto asked = request();
      asked.*flag = value;
      const auto license = settle(asked);
      REQUIRE_FALSE(license);
      CHECK(license.error().code == ExitCode::usage);
      CHECK(license.error().message.starts_with(name));
    }
  }
}

TEST_CASE("every cap is a whole number from 0") {
  for (const auto limit : license_limits()) {
    for (const std::string value : {"-1", "1.0", "x", "9007199254740992", "0x10", "1 "}) {
      CAPTURE(name_of(limit), value);
      auto asked = request();
      asked.limits[static_cast<std::size_t>(limit)] = value;
      const auto license = settle(asked);
      REQUIRE_FALSE(license);
      CHECK(license.error().message.starts_with(flag_of(limit) + " "));
    }
    auto asked = request();
    asked.limits[static_cast<std::size_t>(limit)] = "9007199254740991";
    CHECK(settle(asked)->limits[limit] == 9007199254740991);
  }
}

TEST_CASE("what is required is named when it is missing") {
  auto asked = request();
  asked.tenant.reset();
  CHECK(settle(asked).error().message == "--tenant is missing.");
  asked = request();
  asked.expires.reset();
  CHECK(settle(asked).error().message == "--expires is missing.");
}

TEST_CASE("features are refused by their flag") {
  auto asked = request();
  asked.features = {std::string(65, 'f')};
  CHECK(settle(asked).error().message.starts_with("--feature"));
  asked.features = {"a", "\xff"};
  CHECK(settle(asked).error().message == "--feature must be UTF-8.");
}
