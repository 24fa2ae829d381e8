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

std::string bytes_of_hex(std::string_view text) {
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); at += 2) {
    bytes += static_cast<char>(std::stoi(std::string(text.substr(at, 2)), nullptr, 16));
  }
  return bytes;
}

/// Of two numbers of one length, the highest byte first; a byte longer when it does not fit.
std::string sum_of(std::string left, std::string_view right) {
  unsigned carry = 0;
  for (auto at = left.size(); at-- > 0;) {
    carry += static_cast<unsigned char>(left[at]) + static_cast<unsigned>(static_cast<unsigned char>(right[at]));
    left[at] = static_cast<char>(carry & 0xff);
    carry >>= 8;
  }
  return carry == 0 ? left : static_cast<char>(carry) + left;
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

TEST_CASE("ECDSA signatures have one spelling: exact length, r and s from one to the order less one") {
  struct Curve {
    const char* alg;
    const char* order;  // FIPS 186-4, D.1.2
  };
  const Curve curves[] = {
      {"ES256", "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"},
      {"ES384", "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973"},
      {"ES512",
       "01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA51868783BF2F966B7FCC0148F709A5D0"
       "3BB5C9B8899C47AEBB6FB71E91386409"},
  };
  for (const auto& curve : curves) {
    INFO(curve.alg);
    const ProviderKey key(curve.alg, "k1");
    const auto set = JwkSet::parse(jwk_set({key.jwk()}));
    const auto& found = set->keys().at(0);
    const auto algorithm = *signature_algorithm_of(curve.alg);
    const auto order = bytes_of_hex(curve.order);
    const auto size = order.size();
    const auto signature = key.sign("text");
    REQUIRE(signature.size() == 2 * size);
    const auto r = signature.substr(0, size), s = signature.substr(size);
    const std::string zero(size, '\0'), one = std::string(size - 1, '\0') + '\1', most(size, '\xff');
    struct Row {
      const char* name;
      std::string signature;
    };
    std::vector<Row> rows{
        {"r is zero", zero + s},
        {"s is zero", r + zero},
        {"both are zero", zero + zero},
        {"both are one", one + one},
        {"r is the order", order + s},
        {"s is the order", r + order},
        {"both are the order", order + order},
        {"r is the largest number", most + s},
        {"s is the largest number", r + most},
        {"r and s are swapped", s + r},
        {"a zero before each", '\0' + r + '\0' + s},
        {"a byte less", signature.substr(0, signature.size() - 1)},
        {"a byte more", signature + '\0'},
        {"half", r},
        {"twice", signature + signature},
        {"DER", key.sign_der("text")},
        {"nothing", ""},
    };
    // The same number once more round the group, where the length has room for it.
    for (const bool first : {true, false}) {
      if (const auto wrapped = sum_of(first ? r : s, order); wrapped.size() == size) {
        rows.push_back({"a number beyond the order", first ? wrapped + s : r + wrapped});
      }
    }
    CHECK((std::string_view(curve.alg) != "ES512" || rows.size() == 19));
    for (const auto& row : rows) {
      INFO(row.name);
      CHECK_FALSE(found.verify(algorithm, "text", row.signature));
    }
    CHECK(found.verify(algorithm, "text", signature));
  }
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
