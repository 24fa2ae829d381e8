#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <catch2/catch.hpp>
#include <random>

#include "license_fixture.hpp"

using namespace cameleer;
using namespace cameleer::licensing_test;

namespace {

const SigningKey kVendor('v');
using Number = std::unique_ptr<BIGNUM, decltype(&BN_free)>;

const LicenseKeyRing& ring() {
  static const auto made = ring_of({kVendor.public_key("2026"), SigningKey('o').public_key()});
  return made;
}

const std::vector<std::string>& good_tokens() {
  static const std::vector<std::string> made{kVendor.token(json_of(payload())),
                                             kVendor.jwt(jwt_header, json_of(payload()))};
  return made;
}

Number number(std::string_view little_endian) {
  return {BN_lebin2bn(reinterpret_cast<const unsigned char*>(little_endian.data()),
                      static_cast<int>(little_endian.size()), nullptr),
          &BN_free};
}
std::string bytes_of(const Number& number) {
  std::string bytes(32, '\0');
  REQUIRE(BN_bn2lebinpad(number.get(), reinterpret_cast<unsigned char*>(bytes.data()), 32) == 32);
  return bytes;
}
/// L, the order of the base point.
Number order() {
  BIGNUM* made = nullptr;
  BN_hex2bn(&made, "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed");
  return {made, &BN_free};
}

std::string sha512(const std::string& bytes) {
  std::string digest(SHA512_DIGEST_LENGTH, '\0');
  SHA512(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

/// A signature whose R is the neutral element, spelled as given: S = SHA-512(R, A, M) · a mod L. Only who has the
/// private key can make it.
std::string signature_with_neutral_r(const std::string& r, const std::string& message) {
  const std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)> context(BN_CTX_new(), &BN_CTX_free);
  auto scalar = sha512(kVendor.seed()).substr(0, 32);
  scalar[0] = static_cast<char>(scalar[0] & 0xf8);
  scalar[31] = static_cast<char>((scalar[31] & 0x7f) | 0x40);
  const auto key = kVendor.public_key();
  const std::string a(reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size());
  const auto k = number(sha512(r + a + message)), private_scalar = number(scalar);
  const Number s(BN_new(), &BN_free);
  REQUIRE(BN_mod_mul(s.get(), k.get(), private_scalar.get(), order().get(), context.get()) == 1);
  return r + bytes_of(s);
}

bool openssl_verifies(const LicenseKey& key, const std::string& message, const std::string& signature) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> made(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.bytes.data(), key.bytes.size()), &EVP_PKEY_free);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, made.get());
  return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                          reinterpret_cast<const unsigned char*>(message.data()), message.size()) == 1;
}

}  // namespace

TEST_CASE("a token cut at any byte is refused") {
  for (const auto& token : good_tokens()) {
    REQUIRE(validated(token, ring()).has_value());
    for (std::size_t size = 0; size < token.size(); ++size) {
      CAPTURE(size);
      CHECK_FALSE(validated(std::string_view(token).substr(0, size), ring()).has_value());
      CHECK_FALSE(validated(std::string_view(token).substr(token.size() - size), ring()).has_value());
    }
  }
}

TEST_CASE("a token with any bit flipped, any byte lost, doubled or exchanged with the next is refused") {
  for (const auto& token : good_tokens()) {
    for (std::size_t index = 0; index < token.size(); ++index) {
      CAPTURE(index);
      for (int bit = 0; bit < 8; ++bit) {
        auto flipped = token;
        flipped[index] = static_cast<char>(flipped[index] ^ (1 << bit));
        CHECK_FALSE(validated(flipped, ring()).has_value());
      }
      CHECK_FALSE(validated(std::string(token).erase(index, 1), ring()).has_value());
      CHECK_FALSE(validated(std::string(token).insert(index, 1, token[index]), ring()).has_value());
      auto swapped = token;
      if (index + 1 < token.size()) std::swap(swapped[index], swapped[index + 1]);
      if (swapped != token) CHECK_FALSE(validated(swapped, ring()).has_value());
    }
  }
}

TEST_CASE("any bit flipped in the payload or the signature, spelled anew, is a bad signature") {
  const auto text = json_of(payload()), signature = kVendor.sign(text);
  for (std::size_t index = 0; index < text.size(); ++index) {
    auto changed = text;
    changed[index] = static_cast<char>(changed[index] ^ (1 << (index % 8)));
    CHECK(validated(base64(changed) + "." + base64(signature), ring()).error().reason == LicenseReason::BAD_SIGNATURE);
  }
  for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
    auto changed = signature;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    CHECK(validated(base64(text) + "." + base64(changed), ring()).error().reason == LicenseReason::BAD_SIGNATURE);
  }
}

TEST_CASE("an S of the same value modulo the order is a bad signature") {
  const auto text = json_of(payload());
  const auto signature = kVendor.sign(text);
  const auto s = number(std::string_view(signature).substr(32));
  for (int times = 1; times <= 8; ++times) {
    BN_add(s.get(), s.get(), order().get());
    if (BN_num_bits(s.get()) > 256) break;
    CAPTURE(times);
    const auto second = signature.substr(0, 32) + bytes_of(s);
    CHECK(validated(base64(text) + "." + base64(second), ring()).error().reason == LicenseReason::BAD_SIGNATURE);
    CHECK(validated(base64(text) + "." + base64(signature.substr(0, 32) + bytes_of(order())), ring()).error().reason ==
          LicenseReason::BAD_SIGNATURE);
  }
}

TEST_CASE("a second spelling of R is a bad signature") {
  const auto text = json_of(payload());
  const auto neutral = '\x01' + std::string(31, '\0');
  // Made with the private key and canonical: that it holds shows that the next is refused for its spelling alone.
  CHECK(validated(base64(text) + "." + base64(signature_with_neutral_r(neutral, text)), ring()).has_value());
  const auto second = '\xee' + std::string(30, '\xff') + '\x7f';
  const auto with_sign = '\x01' + std::string(30, '\0') + '\x80';
  for (const auto& r : {second, with_sign}) {
    const auto verdict = validated(base64(text) + "." + base64(signature_with_neutral_r(r, text)), ring());
    REQUIRE_FALSE(verdict.has_value());
    CHECK(verdict.error().reason == LicenseReason::BAD_SIGNATURE);
  }
}

TEST_CASE("a signature that a key of small order would take for any message finds no such key") {
  LicenseKey neutral;
  neutral.bytes[0] = 1;
  const auto signature = '\x01' + std::string(63, '\0');
  const auto text = json_of(payload());
  CHECK(openssl_verifies(neutral, text, signature));
  CHECK_FALSE(LicenseKeyRing::of({neutral}, LicenseTrust::environment).has_value());
  CHECK(validated(base64(text) + "." + base64(signature), ring()).error().reason == LicenseReason::BAD_SIGNATURE);
}

TEST_CASE("whatever the bytes, a token or a list that nobody signed is refused") {
  std::mt19937 random(20261122);
  const auto text = json_of(payload());
  for (int round = 0; round < 3'000; ++round) {
    std::string bytes = round % 2 == 0 ? good_tokens()[round / 2 % 2] : std::string(random() % 300, '.');
    const auto changes = 1 + random() % 12;
    for (std::size_t change = 0; change < changes && !bytes.empty(); ++change) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    if (std::ranges::find(good_tokens(), bytes) != good_tokens().end()) continue;
    CHECK_FALSE(validated(bytes, ring()).has_value());
    CHECK_FALSE(validate_revocations(bytes, ring(), at("2026-11-22T00:00:00Z")).has_value());
    // The same bytes under a signature that holds: read to the end, and either taken or refused with a sentence.
    auto inner = text;
    for (std::size_t change = 0; change < changes; ++change)
      inner[random() % inner.size()] = static_cast<char>(random());
    const auto verdict = validated(kVendor.token(inner), ring());
    if (!verdict) CHECK_FALSE(verdict.error().message.empty());
  }
}
