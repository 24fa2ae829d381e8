#include <catch2/catch.hpp>

#include "license_fixture.hpp"

using namespace cameleer;
using namespace cameleer::licensing_test;

namespace {

const SigningKey kVendor('v'), kOther('o');

const LicenseKeyRing& ring() {
  static const auto made = ring_of({kVendor.public_key()});
  return made;
}

std::string token(std::string_view payload) {
  return kVendor.token(payload);
}
std::string nested(std::size_t levels) {
  return payload_with("extra", std::string(levels, '[') + std::string(levels, ']'));
}

using enum LicenseReason;

}  // namespace

TEST_CASE("a licence is read from both forms, whole") {
  auto members = payload();
  members["tier"] = R"("team")";
  members["keyId"] = R"("2026")";
  members["features"] = R"(["lineage","live debugger"])";
  LicenseInfo expected{.license_id = std::string(license_id), .tenant_id = "acme", .label = "Acme Team"};
  expected.limits.set(LicenseLimit::max_apps, 50);
  expected.limits.set(LicenseLimit::max_environments, 5);
  expected.issued_at = at("2026-04-26T16:33:12Z");
  expected.expires_at = at("2027-04-26T23:59:59Z");
  expected.grace_period_days = 14;
  expected.tier = "team";
  expected.key_id = "2026";
  expected.features = {"lineage", "live debugger"};
  for (const auto& text : {token(json_of(members)), kVendor.jwt(jwt_header, json_of(members)),
                           kVendor.jwt(R"({"typ":"license+jwt","kid":"2026","alg":"EdDSA","x":[1]})", json_of(members)),
                           token(canonical_payload(expected)), " \r\n\t" + token(json_of(members)) + "\n"}) {
    CAPTURE(text);
    const auto license = validated(text, ring());
    REQUIRE(license.has_value());
    CHECK(*license == expected);
  }
}

TEST_CASE("a payload need not be canonical, and members that are not known do not matter") {
  const std::string payloads[] = {
      json_of(payload()),
      " {\n" + json_of(payload()).substr(1) + "\n",
      payload_with("extra", R"({"a":[1.5,null,{"b":-7}],"c":"\u00e4"})"),
      payload_with("expiresAt", "1808783999"),
      payload_with("issuedAt", R"("2026-04-26T16:33:12.123456789Z")"),
      payload_with("licenseId", R"("6F9619FF-8B86-4D01-B42D-00CF4FC964FF")"),
      payload_with("label", R"("\u0041cme")"),
      payload_with("limits", "{}"),
      payload_with("limits", R"({"max_apps":0,"max_users":9007199254740991})"),
      payload_with("features", "[]"),
      nested(6),
  };
  for (const auto& text : payloads) {
    CAPTURE(text);
    const auto license = validated(token(text), ring());
    REQUIRE(license.has_value());
    CHECK(license->license_id == license_id);
  }
  CHECK(validated(token(payload_with("expiresAt", "1808783999")), ring())->expires_at == at("2027-04-26T23:59:59Z"));
}

TEST_CASE("JSON with more than one meaning, or none, is MALFORMED") {
  const auto text = json_of(payload());
  const auto repeated = [&](const std::string& member) { return text.substr(0, text.size() - 1) + "," + member + "}"; };
  std::vector<Wrong> rows;
  for (const auto& json : {
           std::string("{"),
           std::string("[]"),
           std::string("7"),
           std::string("null"),
           std::string("\"x\""),
           std::string("{}}"),
           text + text,
           text + "x",
           text.substr(0, text.size() - 1),
           "\xef\xbb\xbf" + text,
           std::string("\0", 1) + text,
           text + std::string("\0", 1),
           payload_with("label", "\"\xff\""),
           payload_with("label", "\"\xc0\xaf\""),
           payload_with("label", "\"\xed\xa0\x80\""),
           payload_with("label", R"("\ud800")"),
           payload_with("label", "\"a\nb\""),
           payload_with("label", "'Acme'"),
           payload_with("label", R"("\x41")"),
           payload_with("gracePeriodDays", "014"),
           payload_with("gracePeriodDays", "+14"),
           payload_with("gracePeriodDays", "0x0e"),
           payload_with("gracePeriodDays", "NaN"),
           payload_with("gracePeriodDays", "1e999"),
           payload_with("limits", R"({"max_apps":99999999999999999999})"),
           payload_with("limits", R"({"max_apps":50,})"),
           payload_with("limits", R"({max_apps:50})"),
           payload_with("limits", R"({"max_apps":50,"max_apps":51})"),
           payload_with("limits", R"({"max_apps":50,"max_\u0061pps":51})"),
           payload_with("extra", R"([{"a":[{"b":1,"b":1}]}])"),
           repeated(R"("tenantId":"acme")"),
           repeated(R"("tenantId":"other")"),
           repeated(R"("extra":1,"extra":1)"),
           repeated(R"("licenseI\u0064":"6f9619ff-8b86-4d01-b42d-00cf4fc964ff")"),
           nested(9),
           nested(7'000),
           std::string(10'000, '['),
           std::string(10'000, '{'),
       }) {
    rows.push_back({json.substr(0, 100), token(json), MALFORMED});
  }
  check_wrong(rows, ring());
}

TEST_CASE("a member that is missing or wrong is named, with the reason of its kind") {
  std::vector<Wrong> rows;
  for (const auto& [name, value] : payload()) {
    rows.push_back({"without " + name, token(payload_without(name)), MISSING_MEMBER});
    for (const std::string wrong :
         {"null", "true", "{\"a\":1}", "[1]", "1.5", "-1", "\"\"", "1e2", "18446744073709551615"}) {
      if (name == "limits" && wrong == "{\"a\":1}") continue;
      rows.push_back({name + " " + wrong, token(payload_with(name, wrong)), BAD_VALUE});
    }
  }
  const std::pair<const char*, std::string> wrong[]{
      {"licenseId", R"("6f9619ff8b864d01b42d00cf4fc964ff")"},
      {"tenantId", R"("Acme")"},
      {"tenantId", R"("acme ")"},
      {"label", '"' + std::string(201, 'x') + '"'},
      {"label", R"("a\u0000b")"},
      {"label", R"("a\nb")"},
      {"expiresAt", R"("2027-04-26")"},
      {"expiresAt", R"("2027-04-26T23:59:59")"},
      {"expiresAt", R"("2027-04-26T23:59:59+00:00")"},
      {"expiresAt", R"("2027-04-26T23:59:59z")"},
      {"expiresAt", R"("2027-02-30T00:00:00Z")"},
      {"expiresAt", R"("9999-12-31T23:59:59Z")"},
      {"expiresAt", R"("1808783999")"},
      {"expiresAt", "9214646400"},
      {"expiresAt", "1808783999000"},
      {"expiresAt", R"("2026-04-26T16:33:11Z")"},
      {"gracePeriodDays", "3651"},
      {"gracePeriodDays", "14.0"},
      {"gracePeriodDays", R"("14")"},
      {"limits", R"({"max_apps":-1})"},
      {"limits", R"({"max_apps":1.0})"},
      {"limits", R"({"max_apps":1e3})"},
      {"limits", R"({"max_apps":"50"})"},
      {"limits", R"({"max_apps":null})"},
      {"limits", R"({"max_apps":true})"},
      {"limits", R"({"max_apps":[50]})"},
      {"limits", R"({"max_apps":9007199254740992})"},
      {"limits", R"({"max_apps":9223372036854775807})"},
      {"limits", R"({"max_apps":9223372036854775808})"},
      {"tier", "7"},
      {"tier", "null"},
      {"tier", R"("")"},
      {"keyId", R"("a b")"},
      {"keyId", "2026"},
      {"features", "{}"},
      {"features", R"("lineage")"},
      {"features", R"(["lineage",7])"},
      {"features", R"([""])"},
      {"kind", R"("license")"},
      {"kind", R"("revocations")"},
      {"kind", "null"},
  };
  for (const auto& [name, value] : wrong) {
    rows.push_back({std::string(name) + " " + value, token(payload_with(name, value)), BAD_VALUE});
  }
  check_wrong(rows, ring());
}

TEST_CASE("a limit that is not known is named") {
  for (const std::string name : {"max_app", "MAX_APPS", "maxApps", "", "max_apps ", "max_licenses"}) {
    CAPTURE(name);
    const auto verdict = validated(token(payload_with("limits", "{\"max_apps\":5,\"" + name + "\":1}")), ring());
    REQUIRE_FALSE(verdict.has_value());
    CHECK(verdict.error().reason == UNKNOWN_LIMIT);
    if (name == "max_licenses") CHECK(verdict.error().message == "There is no limit max_licenses.");
  }
  const auto odd = validated(token(payload_with("limits", R"({"<script>\u0007":1})")), ring());
  REQUIRE_FALSE(odd.has_value());
  CHECK(odd.error().message == "There is no limit of 9 bytes.");
}

TEST_CASE("a licence for somebody else, of another time or revoked is refused with its reason") {
  const auto now = at("2026-11-22T00:00:00Z");
  const LicenseRevocations revoked{.sequence = 1, .license_ids = {std::string(license_id)}};
  const auto reason = [&](const std::string& text, const LicenseRevocations& revocations, Instant when) {
    const auto verdict = validate_license(text, ring(), revocations, "acme", when);
    return verdict ? std::string("none") : std::string(name_of(verdict.error().reason));
  };
  const auto good = token(json_of(payload()));
  CHECK(reason(good, {}, now) == "none");
  CHECK(reason(token(payload_with("tenantId", R"("acme2")")), {}, now) == "TENANT_MISMATCH");
  CHECK(reason(token(payload_with("tenantId", R"("acm")")), {}, now) == "TENANT_MISMATCH");
  CHECK(reason(good, revoked, now) == "REVOKED");
  CHECK(reason(token(payload_with("licenseId", R"("6F9619FF-8B86-4D01-B42D-00CF4FC964FF")")), revoked, now) ==
        "REVOKED");
  CHECK(reason(good, {.sequence = 1, .license_ids = {"6f9619ff-8b86-4d01-b42d-00cf4fc964fe"}}, now) == "none");

  const auto issued = at("2026-04-26T16:33:12Z"), ends = at("2027-05-10T23:59:59Z");
  const auto tick = std::chrono::milliseconds(1);
  CHECK(reason(good, {}, issued) == "none");
  CHECK(reason(good, {}, issued - std::chrono::minutes(5)) == "none");
  CHECK(reason(good, {}, issued - std::chrono::minutes(5) - tick) == "NOT_YET_VALID");
  CHECK(reason(good, {}, ends) == "none");
  CHECK(reason(good, {}, ends + tick) == "EXPIRED");
  CHECK(reason(good, revoked, ends + tick) == "REVOKED");
  // What the reason is about is told along with it.
  for (const auto& verdict :
       {validate_license(good, ring(), revoked, "acme", now), validated(good, ring(), ends + tick),
        validated(good, ring(), issued - std::chrono::hours(1))}) {
    REQUIRE_FALSE(verdict.has_value());
    REQUIRE(verdict.error().license.has_value());
    CHECK(verdict.error().license->license_id == license_id);
  }
  CHECK_FALSE(validated(kOther.token(json_of(payload())), ring()).error().license.has_value());
}

TEST_CASE("the key that signed must be the one that is named, and must count at the time of issue") {
  auto old_key = kVendor.public_key("2025");
  old_key.valid_until = at("2026-04-26T16:33:12Z");
  const auto rotating = ring_of({old_key, kOther.public_key("2026")});
  const auto unnamed = ring_of({kVendor.public_key(), kOther.public_key("2026")});
  const auto named = [](const std::string& id) { return payload_with("keyId", '"' + id + '"'); };
  const auto header = [](const std::string& id) {
    return R"({"alg":"EdDSA","kid":")" + id + R"(","typ":"license+jwt"})";
  };
  CHECK(validated(kVendor.token(json_of(payload())), rotating).has_value());
  CHECK(validated(kVendor.token(named("2025")), rotating).has_value());
  CHECK(validated(kOther.token(named("2026")), rotating).has_value());
  CHECK(validated(kVendor.jwt(header("2025"), named("2025")), rotating).has_value());
  CHECK(validated(kVendor.token(named("anything")), unnamed).has_value());
  check_wrong({{"another key of the ring", kVendor.token(named("2026")), UNKNOWN_KEY},
               {"a key that the ring has not", kVendor.token(named("2024")), UNKNOWN_KEY},
               {"another key in the JWT's header", kVendor.jwt(header("2026"), json_of(payload())), UNKNOWN_KEY},
               {"header and payload disagree", kVendor.jwt(header("2025"), named("2026")), UNKNOWN_KEY},
               {"issued after the key's last day", kVendor.token(payload_with("issuedAt", R"("2026-04-26T16:33:13Z")")),
                UNKNOWN_KEY}},
              rotating);
  check_wrong({{"an unnamed key signed, another is named", kVendor.token(named("2026")), UNKNOWN_KEY}}, unnamed);
  check_wrong({{"no key at all", token(json_of(payload())), UNKNOWN_KEY}}, {});
}
