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

struct Row {
  std::string name;
  std::string token;
  LicenseReason reason;
};

void check_rows(const std::vector<Row>& rows, const LicenseKeyRing& keys) {
  for (const auto& row : rows) {
    CAPTURE(row.name, row.token.substr(0, 300));
    const auto verdict = validated(row.token, keys);
    REQUIRE_FALSE(verdict.has_value());
    CAPTURE(verdict.error().message);
    CHECK(name_of(verdict.error().reason) == name_of(row.reason));
    CHECK(verdict.error().message.ends_with('.') != verdict.error().message.ends_with('?'));
    CHECK(verdict.error().message.size() < 400);
  }
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

TEST_CASE("a token that is no token is MALFORMED") {
  const auto good = token(json_of(payload()));
  const auto dot = good.find('.');
  const auto body = good.substr(0, dot), mark = good.substr(dot + 1);
  const auto jwt = kVendor.jwt(jwt_header, json_of(payload()));
  check_rows(
      {
          {"nothing", "", MALFORMED},
          {"white space", " \n\t", MALFORMED},
          {"a dot", ".", MALFORMED},
          {"two dots", "..", MALFORMED},
          {"no dot", body, MALFORMED},
          {"a payload without signature", body + ".", MALFORMED},
          {"a signature without payload", "." + mark, MALFORMED},
          {"an empty payload, signed", token(""), MALFORMED},
          {"three dots", body + "." + mark + ".." + mark, MALFORMED},
          {"garbage", "garbage", MALFORMED},
          {"the word of a runbook", "revoked-on-purpose", MALFORMED},
          {"JSON itself", json_of(payload()), MALFORMED},
          {"NUL bytes", std::string(200, '\0'), MALFORMED},
          {"bytes of no text", std::string(100, '\xff') + "." + mark, MALFORMED},
          {"a space inside the payload", good.substr(0, 20) + " " + good.substr(20), MALFORMED},
          {"a line break inside the payload", good.substr(0, 64) + "\n" + good.substr(64), MALFORMED},
          {"a space before the dot", body + " ." + mark, MALFORMED},
          {"a space after the dot", body + ". " + mark, MALFORMED},
          {"a form feed before it", "\f" + good, MALFORMED},
          {"a byte order mark before it", "\xef\xbb\xbf" + good, MALFORMED},
          {"no padding of the signature", body + "." + mark.substr(0, 86), MALFORMED},
          {"half the padding of the signature", body + "." + mark.substr(0, 87), MALFORMED},
          {"padding too much", body + "." + mark + "=", MALFORMED},
          {"four characters of padding", body + "." + mark + "====", MALFORMED},
          {"padding in the middle", body.substr(0, 4) + "====" + body.substr(4) + "." + mark, MALFORMED},
          {"the URL alphabet", base64url(std::string(63, '\xff')) + "." + mark, MALFORMED},
          {"bits that do not count", body + "." + mark.substr(0, 85) + (mark[85] == 'B' ? "C==" : "B=="), MALFORMED},
          {"a signature of 63 bytes", body + "." + base64(std::string(63, 's')), MALFORMED},
          {"a signature of 65 bytes", body + "." + base64(std::string(65, 's')), MALFORMED},
          {"the signature twice", body + "." + base64(*decode_base64(mark) + *decode_base64(mark)), MALFORMED},
          {"longer than 16 KiB", token(payload_with("label", '"' + std::string(20'000, 'x') + '"')), MALFORMED},
          {"16 KiB of white space around it", std::string(longest_license_token, ' ') + good, MALFORMED},
          {"a JWT's parts with padding", good + "." + mark, MALFORMED},
          {"a JWT without a header", jwt.substr(jwt.find('.')), MALFORMED},
          {"a JWT with four parts", jwt + ".x", MALFORMED},
          {"a JWT with padding", jwt + "==", MALFORMED},
          {"a JWT with a broken header", "*" + jwt.substr(1), MALFORMED},
      },
      ring());
}

TEST_CASE("a token whose signature is not the vendor's over these bytes is BAD_SIGNATURE") {
  const auto text = json_of(payload());
  const auto other = payload_with("tenantId", R"("acme2")");
  const auto good = token(text);
  const auto body = good.substr(0, good.find('.'));
  const auto signature_part = [](const std::string& whole) { return whole.substr(whole.rfind('.')); };
  const auto jwt = kVendor.jwt(jwt_header, text);
  const auto jwt_text = base64url(jwt_header) + "." + base64url(text);
  check_rows(
      {
          {"another key", kOther.token(text), BAD_SIGNATURE},
          {"another payload's signature", body + signature_part(token(other)), BAD_SIGNATURE},
          {"a signature of zeros", body + "." + base64(std::string(64, '\0')), BAD_SIGNATURE},
          {"a signature of ones", body + "." + base64(std::string(64, '\xff')), BAD_SIGNATURE},
          {"payload and signature swapped", base64(kVendor.sign(text)) + "." + base64(std::string(64, 'p')),
           BAD_SIGNATURE},
          {"signed the base64, not the payload", body + "." + base64(kVendor.sign(body)), BAD_SIGNATURE},
          {"signed with white space around", body + "." + base64(kVendor.sign(" " + text)), BAD_SIGNATURE},
          {"a JWT of another key", kOther.jwt(jwt_header, text), BAD_SIGNATURE},
          {"a JWT signed over the payload alone", jwt_text + "." + base64url(kVendor.sign(text)), BAD_SIGNATURE},
          {"a JWT signed over other bytes", jwt_text + signature_part(kVendor.jwt(jwt_header, other)), BAD_SIGNATURE},
          {"a JWT signed with its last dot", jwt_text + "." + base64url(kVendor.sign(jwt_text + ".")), BAD_SIGNATURE},
          {"a JWT whose header was changed",
           base64url(R"({"alg":"EdDSA","typ":"license+jwt","kid":"x"})") + jwt.substr(jwt.find('.')), BAD_SIGNATURE},
          {"a JWT of HS512, whose signature has 64 bytes",
           base64url(R"({"alg":"HS512","typ":"license+jwt"})") + "." + base64url(text) + "." +
               base64url(std::string(64, 'h')),
           BAD_SIGNATURE},
          {"two parts out of a JWT's", base64(text) + "." + base64(*decode_base64url(signature_part(jwt).substr(1))),
           BAD_SIGNATURE},
          {"a JWT out of two parts", jwt_text + "." + base64url(kVendor.sign(text)), BAD_SIGNATURE},
      },
      ring());
}

TEST_CASE("a JWT of another kind is MALFORMED, even signed with the vendor's key") {
  const auto text = json_of(payload());
  const auto unsigned_text = base64url(R"({"alg":"none","typ":"license+jwt"})") + "." + base64url(text) + ".";
  std::vector<Row> rows{
      {"none without a signature", unsigned_text, MALFORMED},
      {"HS256 of 32 bytes",
       base64url(R"({"alg":"HS256","typ":"license+jwt"})") + "." + base64url(text) + "." +
           base64url(std::string(32, 'h')),
       MALFORMED},
      {"RS256 of 256 bytes",
       base64url(R"({"alg":"RS256","typ":"license+jwt"})") + "." + base64url(text) + "." +
           base64url(std::string(256, 'r')),
       MALFORMED},
  };
  for (const std::string header : {
           R"({"alg":"none","typ":"license+jwt"})",
           R"({"alg":"HS256","typ":"license+jwt"})",
           R"({"alg":"RS256","typ":"license+jwt"})",
           R"({"alg":"eddsa","typ":"license+jwt"})",
           R"({"alg":["EdDSA"],"typ":"license+jwt"})",
           R"({"alg":"EdDSA","alg":"EdDSA","typ":"license+jwt"})",
           R"({"alg":"EdDSA"})",
           R"({"alg":"EdDSA","typ":"JWT"})",
           R"({"alg":"EdDSA","typ":"LICENSE+JWT"})",
           R"({"typ":"license+jwt"})",
           R"({"alg":"EdDSA","typ":"license+jwt","crit":["exp"]})",
           R"({"alg":"EdDSA","typ":"license+jwt","crit":null})",
           R"({"alg":"EdDSA","typ":"license+jwt","kid":7})",
           R"({"alg":"EdDSA","typ":"license+jwt","kid":""})",
           R"({"alg":"EdDSA","typ":"license+jwt","x":[[[[[[[[[]]]]]]]]]})",
           R"("EdDSA")",
           "{",
       }) {
    rows.push_back({header, kVendor.jwt(header, text), MALFORMED});
  }
  check_rows(rows, ring());
}

TEST_CASE("JSON with more than one meaning, or none, is MALFORMED") {
  const auto text = json_of(payload());
  const auto repeated = [&](const std::string& member) { return text.substr(0, text.size() - 1) + "," + member + "}"; };
  std::vector<Row> rows;
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
  check_rows(rows, ring());
}

TEST_CASE("a member that is missing or wrong is named, with the reason of its kind") {
  std::vector<Row> rows;
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
  check_rows(rows, ring());
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
  check_rows({{"another key of the ring", kVendor.token(named("2026")), UNKNOWN_KEY},
              {"a key that the ring has not", kVendor.token(named("2024")), UNKNOWN_KEY},
              {"another key in the JWT's header", kVendor.jwt(header("2026"), json_of(payload())), UNKNOWN_KEY},
              {"header and payload disagree", kVendor.jwt(header("2025"), named("2026")), UNKNOWN_KEY},
              {"issued after the key's last day", kVendor.token(payload_with("issuedAt", R"("2026-04-26T16:33:13Z")")),
               UNKNOWN_KEY}},
             rotating);
  check_rows({{"an unnamed key signed, another is named", kVendor.token(named("2026")), UNKNOWN_KEY}}, unnamed);
  check_rows({{"no key at all", token(json_of(payload())), UNKNOWN_KEY}}, {});
}

TEST_CASE("no JSON is read before a signature holds") {
  // Were it read, these would be MALFORMED or MISSING_MEMBER.
  for (const auto& text : {std::string("{"), std::string("{}"), std::string("\xff"), std::string(5'000, '[')}) {
    CHECK(validated(kOther.token(text), ring()).error().reason == BAD_SIGNATURE);
    CHECK(validated(kOther.jwt(jwt_header, text), ring()).error().reason == BAD_SIGNATURE);
    CHECK(validated(kOther.jwt(text, json_of(payload())), ring()).error().reason == BAD_SIGNATURE);
  }
}
