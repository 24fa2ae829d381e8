#include <catch2/catch.hpp>

#include "license_fixture.hpp"

using namespace cameleer;
using namespace cameleer::licensing_test;

namespace {

const SigningKey kVendor('v'), kOther('o');
using enum LicenseReason;

LicenseVerdict<LicenseRevocations> read(std::string_view token, Instant now = at("2026-11-22T00:00:00Z")) {
  return validate_revocations(token, ring_of({kVendor.public_key("2026")}), now);
}

LicenseRevocations list() {
  return {.sequence = 7,
          .issued_at = at("2026-11-01T00:00:00Z"),
          .license_ids = {"0b6f5f0e-52c5-4f0e-9d0c-3f9a4b7c1d2e", std::string(license_id)}};
}

}  // namespace

TEST_CASE("a revocation list is read as it was written, and names its licences") {
  const auto text = canonical_payload(list());
  CHECK(text == R"({"issuedAt":"2026-11-01T00:00:00Z","kind":"revocations","licenseIds":)"
                R"(["0b6f5f0e-52c5-4f0e-9d0c-3f9a4b7c1d2e","6f9619ff-8b86-4d01-b42d-00cf4fc964ff"],"sequence":7})");
  CHECK(read(kVendor.token(text)) == list());
  CHECK(list().revokes(license_id));
  CHECK_FALSE(list().revokes("6f9619ff-8b86-4d01-b42d-00cf4fc964fe"));
  const auto unsorted = read(kVendor.token(
      R"({"kind":"revocations","sequence":7,"issuedAt":1793491200,"licenseIds":["6F9619FF-8B86-4D01-B42D-00CF4FC964FF",)"
      R"("0b6f5f0e-52c5-4f0e-9d0c-3f9a4b7c1d2e","6f9619ff-8b86-4d01-b42d-00cf4fc964ff"],"note":{}})"));
  REQUIRE(unsorted.has_value());
  CHECK(*unsorted == list());
}

TEST_CASE("a list may be longer than a licence, up to a bound") {
  auto long_list = list();
  for (int i = 0; i < 15'000; ++i) {
    long_list.license_ids.push_back(fmt::format("{:08x}-0000-4000-8000-000000000000", i));
  }
  const auto verdict = read(kVendor.token(canonical_payload(long_list)));
  REQUIRE(verdict.has_value());
  CHECK(verdict->license_ids.size() == 15'002);
  CHECK(verdict->revokes("00003a97-0000-4000-8000-000000000000"));
  const auto longest = read(std::string(longest_revocation_list + 1, 'A'));
  REQUIRE_FALSE(longest.has_value());
  CHECK(longest.error().reason == MALFORMED);
}

TEST_CASE("what is no revocation list is refused with its reason") {
  const auto with = [](std::string_view from, std::string_view to) {
    auto text = canonical_payload(list());
    const auto found = text.find(from);
    REQUIRE(found != std::string::npos);
    return kVendor.token(text.replace(found, from.size(), to));
  };
  struct Row {
    std::string name, token;
    LicenseReason reason;
  };
  const Row rows[] = {
      {"a licence", kVendor.token(json_of(payload())), MISSING_MEMBER},
      {"a licence of another kind", kVendor.token(payload_with("kind", R"("license")")), BAD_VALUE},
      {"another kind", with(R"("revocations")", R"("Revocations")"), BAD_VALUE},
      {"no sequence", with(R"(,"sequence":7)", ""), MISSING_MEMBER},
      {"a negative sequence", with(R"("sequence":7)", R"("sequence":-7)"), BAD_VALUE},
      {"a fraction", with(R"("sequence":7)", R"("sequence":7.0)"), BAD_VALUE},
      {"a text", with(R"("sequence":7)", R"("sequence":"7")"), BAD_VALUE},
      {"too high a sequence", with(R"("sequence":7)", R"("sequence":9007199254740992)"), BAD_VALUE},
      {"two sequences", with(R"("sequence":7)", R"("sequence":7,"sequence":8)"), MALFORMED},
      {"no instant", with(R"("issuedAt":"2026-11-01T00:00:00Z",)", ""), MISSING_MEMBER},
      {"a day", with("2026-11-01T00:00:00Z", "2026-11-01"), BAD_VALUE},
      {"tomorrow", with("2026-11-01T00:00:00Z", "2026-11-23T00:00:00Z"), NOT_YET_VALID},
      {"ids that are none", with(R"("0b6f5f0e-)", R"("0b6f5f0e_)"), BAD_VALUE},
      {"ids that are numbers", with(R"("0b6f5f0e-52c5-4f0e-9d0c-3f9a4b7c1d2e")", "7"), BAD_VALUE},
      {"ids that are no array", with(R"("licenseIds":[)", R"("licenseIds":7,"x":[)"), BAD_VALUE},
      {"no ids", with(R"("licenseIds")", R"("ids")"), MISSING_MEMBER},
      {"another key", kOther.token(canonical_payload(list())), BAD_SIGNATURE},
      {"a JWT", kVendor.jwt(jwt_header, canonical_payload(list())), MALFORMED},
      {"garbage", "garbage", MALFORMED},
      {"nothing", "", MALFORMED},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto verdict = read(row.token);
    REQUIRE_FALSE(verdict.has_value());
    CHECK(name_of(verdict.error().reason) == name_of(row.reason));
  }
}

TEST_CASE("a revocation list does not pass for a licence") {
  const auto verdict = validated(kVendor.token(canonical_payload(list())), ring_of({kVendor.public_key()}));
  REQUIRE_FALSE(verdict.has_value());
  CHECK(verdict.error().reason == BAD_VALUE);
  // Nor does one that has all of a licence's members besides.
  auto both = payload();
  both["kind"] = R"("revocations")";
  both["licenseIds"] = "[]";
  both["sequence"] = "7";
  CHECK(read(kVendor.token(json_of(both))).has_value());
  CHECK(validated(kVendor.token(json_of(both)), ring_of({kVendor.public_key()})).error().reason == BAD_VALUE);
}

TEST_CASE("a key that is past its time signs no list") {
  auto retired = kVendor.public_key("2025");
  retired.valid_until = at("2026-10-01T00:00:00Z");
  const auto verdict =
      validate_revocations(kVendor.token(canonical_payload(list())), ring_of({retired}), at("2026-11-22T00:00:00Z"));
  REQUIRE_FALSE(verdict.has_value());
  CHECK(verdict.error().reason == UNKNOWN_KEY);
}

TEST_CASE("a token can be looked into without a key") {
  const auto text = json_of(payload());
  const auto two = split_token(kVendor.token(text) + "\n");
  REQUIRE(two.has_value());
  CHECK(two->payload == text);
  CHECK(two->signature == kVendor.sign(text));
  CHECK_FALSE(two->jwt_header.has_value());
  const auto three = split_token(kVendor.jwt(jwt_header, text));
  REQUIRE(three.has_value());
  CHECK(three->payload == text);
  CHECK(three->jwt_header == jwt_header);
  CHECK(read_unverified_license(text)->license_id == license_id);
  CHECK(read_unverified_revocations(canonical_payload(list())) == list());
  CHECK_FALSE(read_unverified_license("{}").has_value());
}
