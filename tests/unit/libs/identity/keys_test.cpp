#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cameleer/identity/encoding.hpp>
#include <cameleer/identity/keys.hpp>
#include <catch2/catch.hpp>
#include <memory>
#include <set>

using namespace cameleer::identity;

namespace {
MasterKey master(char fill) {
  return MasterKey::from_bytes(std::string(32, fill));
}
}  // namespace

TEST_CASE("HKDF gives the vector of RFC 5869, A.3") {
  CHECK(
      sha256_hex(hkdf_sha256(std::string(22, '\x0b'), "", 42)) ==
      sha256_hex("\x8d\xa4\xe7\x75\xa5\x63\xc1\x8f\x71\x5f\x80\x2a\x06\x3c\x5a\x31\xb8\xa1\x1f\x5c\x5e\xe1\x87\x9e\xc3"
                 "\x45\x4e\x5f\x3c\x73\x8d\x2d\x9d\x20\x13\x95\xfa\xa4\xb6\x1a\x96\xc8"));
}

TEST_CASE("a master key is the base64 of 32 bytes, and its error does not repeat it") {
  const auto text = master('k').to_base64();
  CHECK(MasterKey::parse(" " + text + "\n")->bytes() == std::string(32, 'k'));
  for (const std::string& bad :
       {std::string(), std::string("c2hvcnQ="), text.substr(1), text + "AAAA", std::string("?")}) {
    const auto parsed = MasterKey::parse(bad);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == cameleer::ErrorCode::bad_configuration);
    if (bad.size() > 4) CHECK(parsed.error().message.find(bad) == std::string::npos);
  }
}

TEST_CASE("every label gives another key, the same root the same keys") {
  const Keys keys(master('a'));
  const std::set<std::string> all{keys.jwt().bytes, keys.secrets().bytes, keys.artifact_urls().bytes,
                                  keys.cursors().bytes, keys.command_signing().bytes};
  CHECK(all.size() == 5);
  CHECK(Keys(master('a')).jwt().bytes == keys.jwt().bytes);
  CHECK(Keys(master('a')).command_public_key() == keys.command_public_key());
  CHECK(Keys(master('b')).jwt().id != keys.jwt().id);
  CHECK(Keys(master('b')).check_value() != keys.check_value());
}

TEST_CASE("a previous root is found by its id and signs nothing") {
  const Keys old(master('a'));
  const Keys rotated(master('b'), master('a'));
  CHECK(rotated.jwt_by_id(old.jwt().id)->bytes == old.jwt().bytes);
  CHECK(rotated.secrets_by_id(old.secrets().id)->bytes == old.secrets().bytes);
  CHECK(rotated.jwt().id != old.jwt().id);
  CHECK(rotated.previous_check_value() == old.check_value());
  CHECK(old.jwt_by_id(rotated.jwt().id) == nullptr);
}

TEST_CASE("the command key that agents get verifies what its seed signs") {
  const Keys keys(master('a'));
  const auto der = decode_base64(keys.command_public_key());
  REQUIRE(der);
  CHECK(der->size() == 44);
  const auto* cursor = reinterpret_cast<const unsigned char*>(der->data());
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> shown(
      d2i_PUBKEY(nullptr, &cursor, static_cast<long>(der->size())), EVP_PKEY_free);
  REQUIRE(shown);
  const auto* seed = reinterpret_cast<const unsigned char*>(keys.command_signing().bytes.data());
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> secret(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed, 32), EVP_PKEY_free);
  CHECK(EVP_PKEY_eq(shown.get(), secret.get()) == 1);
}
