#include <fmt/format.h>

#include <cameleer/identity/encoding.hpp>
#include <cameleer/identity/jwk_set.hpp>
#include <catch2/catch.hpp>

#include "provider_keys.hpp"

using namespace cameleer;
using namespace cameleer::identity;

namespace {

std::string changed(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a signature of each algorithm is verified, and only as it is spelled") {
  for (const auto* alg : {"ES256", "ES384", "ES512", "RS256", "PS256", "EdDSA"}) {
    INFO(alg);
    const ProviderKey key(alg, "k1");
    const auto set = JwkSet::parse(jwk_set({key.jwk()}));
    REQUIRE(set.has_value());
    const auto algorithm = *signature_algorithm_of(alg);
    bool ambiguous = false;
    const auto* found = set->find("k1", algorithm, ambiguous);
    REQUIRE(found != nullptr);
    const std::string text = "header.payload";
    const auto signature = key.sign(text);
    CHECK(found->verify(algorithm, text, signature));
    CHECK_FALSE(found->verify(algorithm, text + "x", signature));
    CHECK_FALSE(found->verify(algorithm, text, signature.substr(1)));
    CHECK_FALSE(found->verify(algorithm, text, signature + '\0'));
    CHECK_FALSE(found->verify(algorithm, text, '\0' + signature));
    CHECK_FALSE(found->verify(algorithm, text, ""));
    CHECK_FALSE(found->verify(algorithm, text, std::string(signature.size(), '\0')));
    CHECK_FALSE(found->verify(algorithm, text, std::string(signature.size(), '\xff')));
    for (std::size_t byte = 0; byte < signature.size(); byte += 7) {
      auto flipped = signature;
      flipped[byte] = static_cast<char>(flipped[byte] ^ 1);
      CHECK_FALSE(found->verify(algorithm, text, flipped));
    }
    for (const auto* other : {"ES256", "ES384", "ES512", "RS256", "PS256", "EdDSA"}) {
      const auto wrong = *signature_algorithm_of(other);
      if (wrong == algorithm) continue;
      if (!found->signs_by(wrong)) CHECK(set->find("k1", wrong, ambiguous) == nullptr);
      CHECK_FALSE(found->verify(wrong, text, signature));
    }
  }
}

TEST_CASE("ECDSA signatures with a zero, beyond the group or in DER are refused") {
  const ProviderKey key("ES256", "k1");
  const auto set = JwkSet::parse(jwk_set({key.jwk()}));
  const auto& found = set->keys().at(0);
  const auto signature = key.sign("text");
  const auto zero = std::string(32, '\0');
  CHECK_FALSE(found.verify(SignatureAlgorithm::es256, "text", zero + signature.substr(32)));
  CHECK_FALSE(found.verify(SignatureAlgorithm::es256, "text", signature.substr(0, 32) + zero));
  CHECK_FALSE(found.verify(SignatureAlgorithm::es256, "text", std::string(32, '\xff') + signature.substr(32)));
  CHECK_FALSE(found.verify(SignatureAlgorithm::es256, "text", key.sign_der("text")));
  CHECK(found.verify(SignatureAlgorithm::es256, "text", signature));
}

TEST_CASE("keys of no use are passed over with the reason") {
  const ProviderKey ec("ES256", "ec"), rsa("RS256", "rsa"), ed("EdDSA", "ed");
  struct Row {
    const char* name;
    std::string jwk;
    const char* reason;
  };
  const Row rows[] = {
      {"encryption", ec.jwk(R"(,"use":"enc")"), "not for signatures"},
      {"operations without verify", ec.jwk(R"(,"key_ops":["sign"])"), "not for signatures"},
      {"another algorithm of the same type", rsa.jwk(R"(,"alg":"RS512")"), "alg"},
      {"an algorithm of another type", ec.jwk(R"(,"alg":"RS256")"), "alg"},
      {"HMAC as alg", ec.jwk(R"(,"alg":"HS256")"), "alg"},
      {"none as alg", ec.jwk(R"(,"alg":"none")"), "alg"},
      {"another curve", changed(ec.jwk(), "P-256", "secp256k1"), "curve"},
      {"the curve of other coordinates", changed(ec.jwk(), "P-256", "P-384"), "length"},
      {"a point off the curve",
       changed(ec.jwk(), "\"x\":\"",
               "\"y2\":\"" + base64url(std::string(32, 'a')) + "\",\"x\":\"" + base64url(std::string(32, 'a')) +
                   "\",\"x0\":\""),
       "not on the curve"},
      {"an unknown type", changed(ec.jwk(), "\"EC\"", "\"XX\""), "type"},
      {"a short modulus", R"({"kty":"RSA","kid":"s","e":"AQAB","n":")" + base64url(std::string(128, 'a')) + "\"}",
       "modulus"},
      {"a huge modulus", R"({"kty":"RSA","kid":"s","e":"AQAB","n":")" + base64url(std::string(2'000, 'a')) + "\"}",
       "modulus"},
      {"zeros before a short modulus",
       R"({"kty":"RSA","kid":"s","e":"AQAB","n":")" + base64url(std::string(200, '\0') + std::string(128, 'a')) + "\"}",
       "modulus"},
      {"an exponent of one", R"({"kty":"RSA","kid":"s","e":"AQ","n":")" + base64url(std::string(256, 'a')) + "\"}",
       "exponent"},
      {"an even exponent", R"({"kty":"RSA","kid":"s","e":"AQAA","n":")" + base64url(std::string(256, 'a')) + "\"}",
       "exponent"},
      {"no exponent", R"({"kty":"RSA","kid":"s","n":")" + base64url(std::string(256, 'a')) + "\"}", "exponent"},
      {"Ed448", changed(ed.jwk(), "Ed25519", "Ed448"), "Ed25519"},
      {"a kid that is a number", changed(ec.jwk(), "\"kid\":\"ec\"", "\"kid\":7"), "kid"},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    const auto set = JwkSet::parse(jwk_set({row.jwk, ProviderKey("EdDSA", "good").jwk()}));
    REQUIRE(set.has_value());
    CHECK(set->keys().size() == 1);
    REQUIRE(set->skipped().size() == 1);
    INFO(set->skipped()[0]);
    CHECK(set->skipped()[0].find(row.reason) != std::string::npos);
  }
}

TEST_CASE("a set that publishes secrets, repeats itself or is no set is refused as a whole") {
  const ProviderKey ec("ES256", "same"), other("ES256", "same"), rsa("RS256", "same");
  std::string many = R"({"keys":[)";
  for (int i = 0; i < 101; ++i) many += std::string(i == 0 ? "" : ",") + "{}";
  struct Row {
    const char* name;
    std::string json;
  };
  const Row rows[] = {
      {"a private EC key", jwk_set({ec.jwk(R"(,"d":"AAAA")")})},
      {"a private RSA key", jwk_set({rsa.jwk(R"(,"p":"AAAA")")})},
      {"a symmetric key", jwk_set({R"({"kty":"oct","k":"AAAA"})"})},
      {"two keys of one id", jwk_set({ec.jwk(), other.jwk()})},
      {"too many", many + "]}"},
      {"too large", std::string(R"({"keys":[],"x":")") + std::string(300'000, 'x') + "\"}"},
      {"no keys", "{}"},
      {"keys that are no list", R"({"keys":{}})"},
      {"a key that is no object", R"({"keys":[7]})"},
      {"a member twice", R"({"keys":[{"kty":"EC","kty":"RSA"}]})"},
      {"keys twice", R"({"keys":[],"keys":[]})"},
      {"no JSON", "keys"},
      {"nothing", ""},
      {"deep", std::string(R"({"keys":)") + std::string(10'000, '[')},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    const auto set = JwkSet::parse(row.json);
    REQUIRE_FALSE(set.has_value());
    CHECK(set.error().code == ErrorCode::upstream_error);
  }
  // One id for keys of different types is what some providers do; the algorithm tells them apart.
  CHECK(JwkSet::parse(jwk_set({ec.jwk(), rsa.jwk()}))->keys().size() == 2);
}

TEST_CASE("without an id the only key of an algorithm is meant, and of several none") {
  const ProviderKey one("ES256", "one"), two("ES256", "two"), rsa("RS256", "rsa");
  const auto set = JwkSet::parse(jwk_set({one.jwk(), two.jwk(), rsa.jwk()}));
  bool ambiguous = false;
  CHECK(set->find(std::nullopt, SignatureAlgorithm::rs256, ambiguous) != nullptr);
  CHECK_FALSE(ambiguous);
  CHECK(set->find(std::nullopt, SignatureAlgorithm::es256, ambiguous) == nullptr);
  CHECK(ambiguous);
  CHECK(set->find("two", SignatureAlgorithm::es256, ambiguous)->id() == "two");
  CHECK(set->find("rsa", SignatureAlgorithm::es256, ambiguous) == nullptr);
  CHECK_FALSE(ambiguous);
}
