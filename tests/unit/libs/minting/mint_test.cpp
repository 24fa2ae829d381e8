#include <cameleer/core/license_validation.hpp>
#include <cameleer/minting/key_generation.hpp>
#include <cameleer/minting/mint.hpp>
#include <catch2/catch.hpp>

using namespace cameleer;
using namespace cameleer::minting;

namespace {

constexpr std::string_view kId = "0b6f5f0e-52c5-4f0e-9d0c-3f9a4b7c1d2e";
const Instant kNow = *parse_instant("2026-11-22T08:00:00.789Z");

LicenseInfo license() {
  LicenseInfo info{.license_id = std::string(kId), .tenant_id = "acme", .label = "Acme \"Ltd\" \xc3\xa4"};
  info.issued_at = kNow;
  info.expires_at = *parse_instant("2027-11-22T23:59:59.500Z");
  info.grace_period_days = 14;
  info.limits.set(LicenseLimit::max_apps, 50);
  return info;
}

struct Vendor {
  Vendor() : key(generate_key()), signer(*PrivateKeySigner::read(key.private_pem)) {}
  [[nodiscard]] LicenseKeyRing ring() const { return *LicenseKeyRing::of({key.public_key}, LicenseTrust::environment); }
  GeneratedKey key;
  std::unique_ptr<PrivateKeySigner> signer;
};

/// Says it has a key, but signs with another or with nonsense.
class Liar final : public Signer {
 public:
  explicit Liar(std::optional<LicenseKey> key) : key_(std::move(key)) {}
  Expected<Signature> sign(std::span<const unsigned char>) override { return Signature{}; }
  [[nodiscard]] std::optional<LicenseKey> public_key() const override { return key_; }

 private:
  std::optional<LicenseKey> key_;
};

}  // namespace

TEST_CASE("both forms of a licence validate and hold what was asked for, in whole seconds") {
  Vendor vendor;
  for (const auto format : {TokenFormat::token, TokenFormat::jwt}) {
    auto asked = license();
    asked.key_id = "2026";
    asked.tier = "team";
    asked.features = {"lineage"};
    const auto token = mint(asked, *vendor.signer, format);
    REQUIRE(token);
    CHECK(std::ranges::count(*token, '.') == (format == TokenFormat::jwt ? 2 : 1));
    const auto read = validate_license(*token, vendor.ring(), {}, "acme", kNow);
    REQUIRE(read);
    asked.issued_at = std::chrono::floor<std::chrono::seconds>(asked.issued_at);
    asked.expires_at = std::chrono::floor<std::chrono::seconds>(asked.expires_at);
    CHECK(*read == asked);
  }
}

TEST_CASE("the signed bytes are the canonical payload, and a JWT says its algorithm, type and key") {
  Vendor vendor;
  auto asked = license();
  const auto token = mint(asked, *vendor.signer);
  CHECK(split_token(*token)->payload ==
        R"({"expiresAt":"2027-11-22T23:59:59Z","gracePeriodDays":14,"issuedAt":"2026-11-22T08:00:00Z",)"
        R"("label":"Acme \"Ltd\" ä","licenseId":"0b6f5f0e-52c5-4f0e-9d0c-3f9a4b7c1d2e","limits":{"max_apps":50},)"
        R"("tenantId":"acme"})");
  CHECK(split_token(*mint(asked, *vendor.signer, TokenFormat::jwt))->jwt_header ==
        R"({"alg":"EdDSA","typ":"license+jwt"})");
  asked.key_id = "2026";
  CHECK(split_token(*mint(asked, *vendor.signer, TokenFormat::jwt))->jwt_header ==
        R"({"alg":"EdDSA","kid":"2026","typ":"license+jwt"})");
}

TEST_CASE("a licence that no server would take is not signed") {
  struct Row {
    std::string_view member;
    void (*spoil)(LicenseInfo&);
  };
  const Row rows[] = {
      {"/licenseId", [](LicenseInfo& info) { info.license_id = "1"; }},
      {"/tenantId", [](LicenseInfo& info) { info.tenant_id = ""; }},
      {"/label", [](LicenseInfo& info) { info.label = std::string(201, 'x'); }},
      {"/gracePeriodDays", [](LicenseInfo& info) { info.grace_period_days = -1; }},
      {"/keyId", [](LicenseInfo& info) { info.key_id = "a b"; }},
      {"/limits/max_apps", [](LicenseInfo& info) { info.limits.set(LicenseLimit::max_apps, -1); }},
  };
  Liar never_asked({});
  for (const auto& [member, spoil] : rows) {
    CAPTURE(member);
    auto asked = license();
    spoil(asked);
    const auto token = mint(asked, never_asked);
    REQUIRE_FALSE(token);
    CHECK(token.error().code == ErrorCode::invalid_member);
    CHECK(token.error().member == member);
  }
  auto latin = license();
  latin.label = "T\xe4gliche Lizenz";
  CHECK(mint(latin, never_asked).error().code == ErrorCode::invalid_member);
}

TEST_CASE("a signature that is not by the signer's public key reaches nobody") {
  Vendor vendor;
  Liar liar(vendor.key.public_key);
  CHECK(mint(license(), liar).error().code == ErrorCode::license_rejected);
  CHECK(mint(license(), liar, TokenFormat::jwt).error().code == ErrorCode::license_rejected);
  CHECK(mint_revocations({.sequence = 1, .issued_at = kNow}, liar).error().code == ErrorCode::license_rejected);
  // Nobody can tell without the key.
  Liar unknown({});
  CHECK(mint(license(), unknown));
}

TEST_CASE("what the signer says goes to the caller") {
  CommandSigner broken("exit 1");
  CHECK(mint(license(), broken).error().code == ErrorCode::upstream_error);
  CHECK(mint_revocations({.sequence = 1, .issued_at = kNow}, broken).error().code == ErrorCode::upstream_error);
}

TEST_CASE("a revocation list validates, names each licence once and in order, and is no licence") {
  Vendor vendor;
  const LicenseRevocations asked{.sequence = 7,
                                 .issued_at = kNow,
                                 .license_ids = {"F0000000-0000-4000-8000-000000000000", std::string(kId),
                                                 "f0000000-0000-4000-8000-000000000000"}};
  const auto token = mint_revocations(asked, *vendor.signer);
  REQUIRE(token);
  const auto read = validate_revocations(*token, vendor.ring(), kNow);
  REQUIRE(read);
  CHECK(*read == in_order(asked));
  CHECK(read->license_ids == std::vector<std::string>{std::string(kId), "f0000000-0000-4000-8000-000000000000"});
  CHECK(read->revokes(kId));
  CHECK_FALSE(validate_license(*token, vendor.ring(), {}, "acme", kNow));
  CHECK_FALSE(validate_revocations(*mint(license(), *vendor.signer), vendor.ring(), kNow));
}

TEST_CASE("a revocation list of wrong ids, of a wrong number, or too long is refused") {
  Vendor vendor;
  CHECK(mint_revocations({.sequence = 1, .issued_at = kNow, .license_ids = {"x"}}, *vendor.signer).error().member ==
        "/licenseIds");
  CHECK(mint_revocations({.sequence = -1, .issued_at = kNow}, *vendor.signer).error().member == "/sequence");
  LicenseRevocations many{.sequence = 1, .issued_at = kNow};
  for (int i = 0; i < 30'000; ++i) many.license_ids.push_back(fmt::format("{:08x}-0000-4000-8000-000000000000", i));
  CHECK(mint_revocations(many, *vendor.signer).error().code == ErrorCode::invalid_member);
}
