#include <fmt/format.h>
#include <openssl/hmac.h>

#include <cameleer/identity/encoding.hpp>
#include <cameleer/identity/provider_token.hpp>
#include <catch2/catch.hpp>

#include "provider_keys.hpp"

using namespace cameleer;
using namespace cameleer::identity;

namespace {

constexpr std::int64_t kNow = 1'800'000'000;
const Instant kInstant = instant_of(kNow * 1'000);
const std::string kBase =
    R"("iss":"https://login.example/oidc","sub":"user-1","aud":"https://api.example","iat":1799999990,"exp":1800003600)";

ProviderExpectations access() {
  return {.issuer = "https://login.example/oidc",
          .audience = "https://api.example",
          .required_claims = {{"organization_id", "org-1"}},
          .nonce = {}};
}

std::string payload(std::string_view base = kBase, std::string_view more = R"(,"organization_id":"org-1")") {
  return "{" + std::string(base) + std::string(more) + "}";
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string verdict(const JwkSet& keys, std::string_view token, const ProviderExpectations& expected = access()) {
  const auto claims = verify_provider_token(keys, token, expected, kInstant);
  return claims ? "accepted" : std::string(name_of(claims.error()));
}

}  // namespace

TEST_CASE("tokens as Logto, Entra ID, Okta and Keycloak shape them are accepted by each algorithm") {
  for (const auto* alg : {"ES256", "ES384", "ES512", "RS256", "PS256", "EdDSA"}) {
    INFO(alg);
    const ProviderKey key(alg, "k1");
    const auto keys = JwkSet::parse(jwk_set({key.jwk(fmt::format(R"(,"alg":"{}","use":"sig")", alg))}));
    REQUIRE(keys.has_value());
    CHECK(verdict(*keys, key.token(payload(), R"(,"typ":"at+jwt")")) == "accepted");
    CHECK(verdict(*keys, key.token(payload(), R"(,"typ":"application/at+jwt")")) == "accepted");
    CHECK(verdict(*keys, key.token(payload(), R"(,"typ":"JWT")")) == "accepted");
    CHECK(verdict(*keys, key.token(payload())) == "accepted");
    const auto claims = verify_provider_token(*keys, key.token(payload()), access(), kInstant);
    CHECK(claims->subject == "user-1");
    CHECK_FALSE(claims->is_machine());
    CHECK(claims->json == payload());
  }
}

TEST_CASE("a token says of itself whether it is a program's") {
  const ProviderKey key("ES384", "k1");
  const auto keys = JwkSet::parse(jwk_set({key.jwk()}));
  const auto machine = key.token(payload(kBase, R"(,"organization_id":"org-1","client_id":"user-1")"));
  CHECK(verify_provider_token(*keys, machine, access(), kInstant)->is_machine());
  const auto person = key.token(payload(kBase, R"(,"organization_id":"org-1","client_id":"page")"));
  CHECK_FALSE(verify_provider_token(*keys, person, access(), kInstant)->is_machine());
}

TEST_CASE("whatever is wrong with a token has a name") {
  const ProviderKey key("ES256", "k1"), stranger("ES256", "k1"), rsa("RS256", "rsa"), other("ES256", "k2");
  const auto keys = JwkSet::parse(jwk_set({key.jwk(), rsa.jwk(), other.jwk()}));
  REQUIRE(keys.has_value());
  const auto good = key.token(payload());
  const auto with = [&](std::string_view base, std::string_view more = R"(,"organization_id":"org-1")") {
    return key.token(payload(base, more));
  };
  const auto hmac_token = [&](std::string_view secret) {
    const auto text = base64url(R"({"alg":"HS256","kid":"rsa"})") + "." + base64url(payload());
    unsigned char mac[32];
    unsigned int length = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &length);
    return text + "." + base64url({reinterpret_cast<const char*>(mac), length});
  };
  const auto header = [&](std::string_view text) { return compact(text, payload(), key.sign("x")); };
  struct Row {
    const char* name;
    std::string token;
    const char* verdict;
  };
  const Row rows[] = {
      {"good", good, "accepted"},
      {"empty", "", "bad_shape"},
      {"one dot", "a.b", "bad_shape"},
      {"three dots", good + ".", "bad_shape"},
      {"a byte above 127", good + "\x80", "bad_character"},
      {"padding", good + "=", "bad_character"},
      {"a second spelling of the signature", good.substr(0, good.size() - 1) + static_cast<char>(good.back() + 1),
       "bad_signature"},
      {"too long", std::string(40'000, 'a'), "too_long"},
      {"alg none", compact(R"({"alg":"none"})", payload(), ""), "bad_algorithm"},
      {"alg None", compact(R"({"alg":"None"})", payload(), ""), "bad_algorithm"},
      {"no alg", header(R"({"kid":"k1"})"), "bad_algorithm"},
      {"alg that is no text", header(R"({"alg":7,"kid":"k1"})"), "bad_algorithm"},
      {"HMAC with the public key in PEM", hmac_token(rsa.public_pem()), "bad_algorithm"},
      {"an EC key used as RSA", header(R"({"alg":"RS256","kid":"k1"})"), "unknown_key"},
      {"another curve's algorithm", header(R"({"alg":"ES384","kid":"k1"})"), "unknown_key"},
      {"an unknown kid", header(R"({"alg":"ES256","kid":"k9"})"), "unknown_key"},
      {"a kid with SQL in it", header(R"({"alg":"ES256","kid":"' or 1=1 --"})"), "unknown_key"},
      {"a kid that is a path", header(R"({"alg":"ES256","kid":"../../dev/null"})"), "unknown_key"},
      {"a kid that is a number", header(R"({"alg":"ES256","kid":1})"), "unknown_key"},
      {"no kid and two keys", header(R"({"alg":"ES256"})"), "ambiguous_key"},
      {"a key of its own in the header", header(R"({"alg":"ES256","kid":"k9","jwk":)" + stranger.jwk() + "}"),
       "unknown_key"},
      {"an address of keys in the header", header(R"({"alg":"ES256","kid":"k9","jku":"https://evil.example"})"),
       "unknown_key"},
      {"a stranger's signature", stranger.token(payload()), "bad_signature"},
      {"another key's signature", compact(R"({"alg":"ES256","kid":"k2"})", payload(), key.sign("x")), "bad_signature"},
      {"crit", key.token(payload(), R"(,"crit":["exp"])"), "bad_type"},
      {"typ of another thing", key.token(payload(), R"(,"typ":"logout+jwt")"), "bad_type"},
      {"a member of the header twice", header(R"({"alg":"ES256","alg":"ES256","kid":"k1"})"), "bad_shape"},
      {"a claim twice", with(kBase, R"(,"organization_id":"org-1","sub":"admin")"), "bad_claims"},
      {"no payload", key.token(""), "bad_claims"},
      {"a payload that is a list", key.token("[]"), "bad_claims"},
      {"another issuer", with(replaced(kBase, "login.example", "evil.example")), "foreign_issuer"},
      {"the issuer with a slash", with(replaced(kBase, "/oidc\"", "/oidc/\"")), "foreign_issuer"},
      {"the issuer in capitals", with(replaced(kBase, "https://login", "HTTPS://login")), "foreign_issuer"},
      {"no issuer", with(replaced(kBase, "\"iss\"", "\"xss\"")), "foreign_issuer"},
      {"no subject", with(replaced(kBase, "\"sub\"", "\"xub\"")), "bad_claims"},
      {"an empty subject", with(replaced(kBase, "user-1", "")), "bad_claims"},
      {"no iat", with(replaced(kBase, "\"iat\"", "\"xat\"")), "bad_claims"},
      {"no exp", with(replaced(kBase, "\"exp\"", "\"xxp\"")), "bad_claims"},
      {"exp as text", with(replaced(kBase, "1800003600", "\"1800003600\"")), "bad_claims"},
      {"a negative exp", with(replaced(kBase, "1800003600", "-1")), "bad_claims"},
      {"an exp beyond all times", with(replaced(kBase, "1800003600", "1e300")), "bad_claims"},
      {"an exp with a fraction", with(replaced(kBase, "1800003600", "1800003600.5")), "accepted"},
      {"another audience", with(replaced(kBase, "api.example", "other.example")), "foreign_audience"},
      {"an organisation's audience", with(replaced(kBase, "https://api.example", "urn:logto:organization:org-1")),
       "foreign_audience"},
      {"the audience among others", with(replaced(kBase, "\"https://api.example\"", R"(["a","https://api.example"])")),
       "accepted"},
      {"an audience list without it", with(replaced(kBase, "\"https://api.example\"", R"(["a","b"])")),
       "foreign_audience"},
      {"an empty audience list", with(replaced(kBase, "\"https://api.example\"", "[]")), "foreign_audience"},
      {"an audience list with a number",
       with(replaced(kBase, "\"https://api.example\"", R"(["https://api.example",7])")), "bad_claims"},
      {"no audience", with(replaced(kBase, "\"aud\"", "\"xud\"")), "bad_claims"},
      {"another organisation", with(kBase, R"(,"organization_id":"org-2")"), "foreign_tenant"},
      {"no organisation", with(kBase, ""), "foreign_tenant"},
      {"the organisation in a list", with(kBase, R"(,"organization_id":["org-1"])"), "foreign_tenant"},
      {"expired within the leeway", with(replaced(kBase, "1800003600", "1799999950")), "accepted"},
      {"expired at the end of the leeway", with(replaced(kBase, "1800003600", "1799999940")), "expired"},
      {"issued in the near future", with(replaced(kBase, "1799999990", "1800000060")), "accepted"},
      {"issued in the future", with(replaced(kBase, "1799999990", "1800000061")), "not_yet_valid"},
      {"not yet valid", with(kBase, R"(,"organization_id":"org-1","nbf":1800000061)"), "not_yet_valid"},
      {"an ID token by its nonce", with(kBase, R"(,"organization_id":"org-1","nonce":"n")"), "id_token"},
      {"an ID token by its at_hash", with(kBase, R"(,"organization_id":"org-1","at_hash":"n")"), "id_token"},
      {"Keycloak's ID token", with(kBase, R"(,"organization_id":"org-1","typ":"ID")"), "id_token"},
      {"Cognito's ID token", with(kBase, R"(,"organization_id":"org-1","token_use":"id")"), "id_token"},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    CHECK(verdict(*keys, row.token) == row.verdict);
  }
}

TEST_CASE("every bit of a token counts") {
  const ProviderKey key("EdDSA", "k1");
  const auto keys = JwkSet::parse(jwk_set({key.jwk()}));
  const auto good = key.token(payload());
  REQUIRE(verdict(*keys, good) == "accepted");
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto cut = good.substr(0, at);
    CHECK(verdict(*keys, cut) != "accepted");
    auto changed = good;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    CHECK(verdict(*keys, changed) != "accepted");
  }
}

TEST_CASE("an ID token is for one client and one sign-in") {
  const ProviderKey key("RS256", "k1");
  const auto keys = JwkSet::parse(jwk_set({key.jwk()}));
  const ProviderExpectations expected{.use = ProviderExpectations::Use::id,
                                      .issuer = "https://login.example/oidc",
                                      .audience = "client-1",
                                      .required_claims = {},
                                      .nonce = "n-1"};
  const auto base = replaced(kBase, "https://api.example", "client-1");
  struct Row {
    const char* name;
    std::string token;
    const char* verdict;
  };
  const Row rows[] = {
      {"good", key.token(payload(base, R"(,"nonce":"n-1","at_hash":"x")")), "accepted"},
      {"for the client among others",
       key.token(payload(replaced(base, "\"client-1\"", R"(["client-1","x"])"), R"(,"nonce":"n-1","azp":"client-1")")),
       "accepted"},
      {"asked for by another client", key.token(payload(base, R"(,"nonce":"n-1","azp":"client-2")")),
       "foreign_audience"},
      {"for another client", key.token(payload(kBase, R"(,"nonce":"n-1")")), "foreign_audience"},
      {"another nonce", key.token(payload(base, R"(,"nonce":"n-2")")), "bad_nonce"},
      {"no nonce", key.token(payload(base, "")), "bad_nonce"},
      {"an access token", key.token(payload(base, R"(,"nonce":"n-1")"), R"(,"typ":"at+jwt")"), "bad_type"},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    CHECK(verdict(*keys, row.token, expected) == row.verdict);
  }
}

TEST_CASE("the issuer of any text can be asked for") {
  const ProviderKey key("ES256", "k1");
  CHECK(unverified_issuer(key.token(payload())) == "https://login.example/oidc");
  for (const auto* text : {"", "a.b.c", "..", "no token", "e30.e30."}) CHECK(unverified_issuer(text).empty());
}
