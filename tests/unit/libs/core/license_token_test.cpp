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
using enum LicenseReason;

}  // namespace

TEST_CASE("a token that is no token is MALFORMED") {
  const auto good = token(json_of(payload()));
  const auto dot = good.find('.');
  const auto body = good.substr(0, dot), mark = good.substr(dot + 1);
  const auto jwt = kVendor.jwt(jwt_header, json_of(payload()));
  check_wrong(
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
  check_wrong(
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
  std::vector<Wrong> rows{
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
  check_wrong(rows, ring());
}

TEST_CASE("no JSON is read before a signature holds") {
  // Were it read, these would be MALFORMED or MISSING_MEMBER.
  for (const auto& text : {std::string("{"), std::string("{}"), std::string("\xff"), std::string(5'000, '[')}) {
    CHECK(validated(kOther.token(text), ring()).error().reason == BAD_SIGNATURE);
    CHECK(validated(kOther.jwt(jwt_header, text), ring()).error().reason == BAD_SIGNATURE);
    CHECK(validated(kOther.jwt(text, json_of(payload())), ring()).error().reason == BAD_SIGNATURE);
  }
}
