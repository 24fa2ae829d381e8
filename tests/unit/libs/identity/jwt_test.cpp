#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cameleer/identity/encoding.hpp>
#include <cameleer/identity/jwt.hpp>
#include <catch2/catch.hpp>

using namespace cameleer;
using namespace cameleer::identity;
using namespace std::chrono_literals;

namespace {

const Instant kNow = instant_of(1'800'000'000'000);
const Keys kKeys(MasterKey::from_bytes(std::string(32, 'a')));
const Keys kOtherKeys(MasterKey::from_bytes(std::string(32, 'b')));
const Expectations kExpected{.issuer = "cameleer-server:default", .audiences = {"cameleer-agent", "cameleer-api"}};

Claims agent_claims() {
  return {.issuer = "cameleer-server:default",
          .audience = "cameleer-agent",
          .subject = "orders-1",
          .type = TokenType::refresh,
          .token_id = "4f3c2b1a-0000-4000-8000-000000000001",
          .family = "family",
          .application = "orders \xc3\xa4\"",
          .environment = "default",
          .key_ref = "key",
          .roles = {"AGENT"},
          .issued_at = kNow,
          .expires_at = kNow + 1h};
}

std::string sign(const std::string& text) {
  unsigned char mac[32];
  unsigned int length = 0;
  HMAC(EVP_sha256(), kKeys.jwt().bytes.data(), 32, reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       mac, &length);
  return text + "." + base64url({reinterpret_cast<const char*>(mac), length});
}

/// A token that our key did sign: what is wrong with it is its content.
std::string signed_token(const std::string& header, const std::string& payload) {
  return sign(base64url(header) + "." + base64url(payload));
}

std::string header(const std::string& members) {
  return "{" + members + R"("kid":")" + kKeys.jwt().id + "\"}";
}
const std::string kGoodHeader = header(R"("alg":"HS256","typ":"JWT",)");

std::string payload(const std::string& members) {
  return R"({"iss":"cameleer-server:default","aud":"cameleer-api","sub":"u","type":"access",)" + members + "}";
}
const std::string kTimes = R"("iat":1800000000,"exp":1800003600)";

std::string verdict(std::string_view token, Instant now = kNow) {
  const auto result = verify(kKeys, token, kExpected, now);
  return result ? "good" : std::string(name_of(result.error()));
}

}  // namespace

TEST_CASE("a token comes back with every claim, and the same claims give the same token") {
  const auto token = issue(kKeys, agent_claims());
  CHECK(token == issue(kKeys, agent_claims()));
  const auto claims = verify(kKeys, token, kExpected, kNow);
  REQUIRE(claims);
  CHECK(claims->issuer == "cameleer-server:default");
  CHECK(claims->audience == "cameleer-agent");
  CHECK(claims->subject == "orders-1");
  CHECK(claims->type == TokenType::refresh);
  CHECK(claims->token_id == "4f3c2b1a-0000-4000-8000-000000000001");
  CHECK(claims->family == "family");
  CHECK(claims->application == "orders \xc3\xa4\"");
  CHECK(claims->environment == "default");
  CHECK(claims->key_ref == "key");
  CHECK(claims->roles == std::vector<std::string>{"AGENT"});
  CHECK(claims->issued_at == kNow);
  CHECK(claims->expires_at == kNow + 1h);
}

TEST_CASE("no bit of a token can be changed") {
  const auto token = issue(kKeys, agent_claims());
  for (std::size_t i = 0; i < token.size(); ++i) {
    for (const int mask : {0x01, 0x02, 0x04, 0x10, 0x20, 0x40, 0x80}) {
      auto changed = token;
      changed[i] = static_cast<char>(changed[i] ^ mask);
      CAPTURE(i, mask);
      CHECK(verdict(changed) != "good");
    }
    CHECK(verdict(token.substr(0, i)) != "good");
  }
}

TEST_CASE("a token expires at its instant, and its past end has no leeway") {
  const auto token = issue(kKeys, agent_claims());
  CHECK(verdict(token, kNow + 1h - 1ms) == "good");
  CHECK(verdict(token, kNow + 1h) == "expired");
  CHECK(verdict(token, kNow - 60s) == "good");
  CHECK(verdict(token, kNow - 60s - 1ms) == "not_yet_valid");
  CHECK(error_of(TokenRejection::expired).message != error_of(TokenRejection::bad_signature).message);
  CHECK(error_of(TokenRejection::expired).code == ErrorCode::invalid_token);
}

TEST_CASE("a key is known by its id; that of a rotated root still verifies") {
  const Keys rotated(MasterKey::from_bytes(std::string(32, 'b')), MasterKey::from_bytes(std::string(32, 'a')));
  const auto token = issue(kKeys, agent_claims());
  CHECK(verify(rotated, token, kExpected, kNow));
  CHECK(verify(kOtherKeys, token, kExpected, kNow).error() == TokenRejection::unknown_key);
  CHECK(verdict(issue(kOtherKeys, agent_claims())) == "unknown_key");
}

TEST_CASE("a token of another issuer or audience is foreign") {
  auto claims = agent_claims();
  claims.issuer = "cameleer-server:other";
  CHECK(verdict(issue(kKeys, claims)) == "foreign_issuer");
  claims = agent_claims();
  claims.audience = "cameleer-plane";
  CHECK(verdict(issue(kKeys, claims)) == "foreign_audience");
}

TEST_CASE("bad tokens, each refused for its reason") {
  const std::string good = payload(kTimes);
  REQUIRE(verdict(signed_token(kGoodHeader, good)) == "good");
  REQUIRE(verdict(signed_token(header(R"("alg":"HS256",)"), good)) == "good");

  struct Row {
    std::string token, reason;
  };
  const auto with_header = [&](const std::string& members) { return signed_token(header(members), good); };
  const auto with_payload = [&](const std::string& members) { return signed_token(kGoodHeader, payload(members)); };
  const auto parts = signed_token(kGoodHeader, good);
  const Row rows[] = {
      {"", "bad_shape"},
      {".", "bad_shape"},
      {"..", "bad_shape"},
      {"...", "bad_shape"},
      {parts + ".x", "bad_shape"},
      {parts + "=", "bad_character"},
      {parts + " ", "bad_character"},
      {std::string("a\0b.c.d", 7), "bad_character"},
      {"\x80\xff.\xfe.\xfd", "bad_character"},
      {std::string(kMaxTokenBytes + 1, 'a'), "too_long"},
      {std::string(kMaxTokenBytes, 'a'), "bad_shape"},
      {signed_token("", good), "bad_shape"},
      {signed_token("[]", good), "bad_shape"},
      {signed_token("\"HS256\"", good), "bad_shape"},
      {signed_token("{", good), "bad_shape"},
      {signed_token("{}", good), "bad_algorithm"},
      {with_header(R"("alg":"none",)"), "bad_algorithm"},
      {with_header(R"("alg":"hs256",)"), "bad_algorithm"},
      {with_header(R"("alg":"HS512",)"), "bad_algorithm"},
      {with_header(R"("alg":"RS256",)"), "bad_algorithm"},
      {with_header(R"("alg":"EdDSA",)"), "bad_algorithm"},
      {with_header(R"("alg":5,)"), "bad_algorithm"},
      {with_header(R"("alg":null,)"), "bad_algorithm"},
      {with_header(R"("alg":["HS256"],)"), "bad_algorithm"},
      {with_header(R"("alg":"HS256","alg":"HS256",)"), "bad_shape"},
      {with_header(R"("alg":"HS256","\u0061lg":"HS256",)"), "bad_shape"},
      {with_header(R"("alg":"HS256","typ":"at+jwt",)"), "bad_type"},
      {with_header(R"("alg":"HS256","typ":5,)"), "bad_type"},
      {with_header(R"("alg":"HS256","crit":["b64"],)"), "bad_type"},
      {with_header(R"("alg":"HS256","crit":[],)"), "bad_type"},
      {signed_token(R"({"alg":"HS256"})", good), "unknown_key"},
      {signed_token(R"({"alg":"HS256","kid":7})", good), "unknown_key"},
      {signed_token(R"({"alg":"HS256","kid":""})", good), "unknown_key"},
      {signed_token(R"({"alg":"HS256","x":)" + std::string(5'000, '[') + "}", good), "bad_shape"},
      {parts.substr(0, parts.rfind('.') + 1), "bad_signature"},
      {parts.substr(0, parts.size() - 2), "bad_signature"},
      {base64url(kGoodHeader) + "." + base64url(good) + "." + base64url(std::string(32, '\0')), "bad_signature"},
      {signed_token(kGoodHeader, "[]"), "bad_claims"},
      {signed_token(kGoodHeader, "\"sub\""), "bad_claims"},
      {signed_token(kGoodHeader, "{}"), "bad_claims"},
      {signed_token(kGoodHeader, std::string(200, '[')), "bad_claims"},
      {signed_token(kGoodHeader, good + " {}"), "bad_claims"},
      {sign(base64url(kGoodHeader) + ".e30="), "bad_character"},
      {sign(base64url(kGoodHeader) + ".e31"), "bad_claims"},
      {with_payload(R"("iat":1800000000)"), "bad_claims"},
      {with_payload(R"("exp":1800003600)"), "bad_claims"},
      {with_payload(R"("iat":1800000000,"exp":-1)"), "bad_claims"},
      {with_payload(R"("iat":1800000000,"exp":1800003600.5)"), "bad_claims"},
      {with_payload(R"("iat":1800000000,"exp":"1800003600")"), "bad_claims"},
      {with_payload(R"("iat":1800000000,"exp":99999999999999999)"), "bad_claims"},
      {with_payload(R"("iat":1800000000,"exp":18446744073709551615)"), "bad_claims"},
      {with_payload(kTimes + R"(,"exp":1900000000)"), "bad_claims"},
      {with_payload(kTimes + R"(,"sub":"v")"), "bad_claims"},
      {with_payload(kTimes + R"(,"env":7)"), "bad_claims"},
      {with_payload(kTimes + R"(,"roles":"AGENT")"), "bad_claims"},
      {with_payload(kTimes + R"(,"roles":[1])"), "bad_claims"},
      {with_payload(kTimes + R"(,"nbf":1800000061)"), "not_yet_valid"},
      {with_payload(kTimes + R"(,"nbf":"x")"), "bad_claims"},
      {with_payload(R"("iat":1800000061,"exp":1800003600)"), "not_yet_valid"},
      {signed_token(
           kGoodHeader,
           R"({"iss":"cameleer-server:default","aud":["cameleer-api"],"sub":"u","type":"access",)" + kTimes + "}"),
       "bad_claims"},
      {signed_token(kGoodHeader, R"({"aud":"cameleer-api","sub":"u","type":"access",)" + kTimes + "}"),
       "foreign_issuer"},
      {signed_token(kGoodHeader, R"({"iss":"cameleer-server:default","sub":"u","type":"access",)" + kTimes + "}"),
       "foreign_audience"},
      {signed_token(kGoodHeader, R"({"iss":"cameleer-server:default","aud":"cameleer-api","sub":"","type":"access",)" +
                                     kTimes + "}"),
       "bad_claims"},
      {signed_token(kGoodHeader,
                    R"({"iss":"cameleer-server:default","aud":"cameleer-api","sub":"u","type":"id",)" + kTimes + "}"),
       "bad_claims"},
      {signed_token(kGoodHeader, "{\"sub\":\"\xff\"}"), "bad_claims"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.token);
    CHECK(verdict(row.token) == row.reason);
  }
  CHECK(verdict(with_payload(kTimes + R"(,"nbf":1800000060)")) == "good");
}
