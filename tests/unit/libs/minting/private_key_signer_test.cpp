#include <cameleer/minting/key_generation.hpp>
#include <cameleer/minting/signer.hpp>
#include <catch2/catch.hpp>

using namespace cameleer;
using namespace cameleer::minting;

namespace {

// The second test vector of RFC 8032, section 7.1.
const std::string kBare = "MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7";
const std::string kPublic = "MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=";
const std::string kSignature =
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

std::string pem(const std::string& body, const std::string& label = "PRIVATE KEY") {
  return "-----BEGIN " + label + "-----\n" + body + "\n-----END " + label + "-----\n";
}

Expected<std::unique_ptr<PrivateKeySigner>> read(std::string_view text) {
  return PrivateKeySigner::read(SecretBytes(text));
}

}  // namespace

TEST_CASE("a private key is read as PEM and as bare base64, with white space where people leave it") {
  const std::string rows[] = {kBare,
                              kBare + "\n",
                              " \r\n" + kBare + "\r\n\t",
                              kBare.substr(0, 20) + "\n" + kBare.substr(20),
                              pem(kBare),
                              "  \n" + pem(kBare),
                              "subject: a comment before it\n" + pem(kBare),
                              pem(kBare.substr(0, 32) + "\r\n" + kBare.substr(32)),
                              pem(kBare) + pem("AAAA")};
  for (const auto& text : rows) {
    CAPTURE(text);
    const auto signer = read(text);
    REQUIRE(signer);
    CHECK(to_spki(*(*signer)->public_key()) == kPublic);
  }
}

TEST_CASE("signatures are those of RFC 8032") {
  const auto signer = read(kBare);
  REQUIRE(signer);
  const unsigned char message[] = {0x72};
  const auto signature = (*signer)->sign(message);
  REQUIRE(signature);
  std::string hex;
  for (const auto byte : *signature) hex += fmt::format("{:02x}", byte);
  CHECK(hex == kSignature);
}

TEST_CASE("whatever is no unencrypted Ed25519 key is refused by its rule, and never repeated") {
  const std::pair<std::string, std::string> rows[] = {
      {"", "is empty"},
      {" \n", "is empty"},
      {"hello", "is neither PEM nor the base64 of PKCS#8"},
      {kBare.substr(1), "is neither PEM nor the base64 of PKCS#8"},
      {kBare.substr(0, 60), "is not PKCS#8"},
      {kBare + "AAAA", "is not PKCS#8"},
      {"TM0Imyj/ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U+4pvs=", "is not PKCS#8"},  // the seed alone
      {std::string(15'000, 'A') + "AAAA", "is not PKCS#8"},
      {kPublic, "is not PKCS#8"},
      {pem(kPublic, "PUBLIC KEY"), "is a public key"},
      {pem(kBare, "EC PRIVATE KEY"), "must be PKCS#8"},
      {"-----BEGIN PRIVATE KEY-----\n" + kBare + "\n", "is not a whole PEM block"},
      {pem("!!!!"), "is not a whole PEM block"},
      // Of the right form, but X25519, Ed448 and P-256.
      {pem("MC4CAQAwBQYDK2VuBCIEIHBbPnG4b8L7PTXXZa6mn/jhK64SdVp+bzYH6gzsoalO"), "is not an Ed25519 key"},
      {pem("MEcCAQAwBQYDK2VxBDsEOTS51COPJPbcQeucaB33H5yXWzlfbu8I1phYj1ngCpwA\nmaVwtgcXeZ5HpTL9E2KhxqZcSO2pRu/4Kg=="),
       "is not an Ed25519 key"},
      {pem("MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg89pVkXP0TP9/Swdy\n"
           "IVHaGlARNAXvFbFIzqbs+pndktChRANCAARZPf1XJam4BgsJN/JdHlMF0Q3C3YEz\n"
           "KX2J+RiUL9xfqKxJK/oJRjYCtPuwrnnwDAN/6yeUbxbPx8aEbZgm2FVA"),
       "is not an Ed25519 key"},
      {pem("MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhJeuiqk5LtjAICCAAw\n"
           "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEED70xkUO2uPR2iKU1q+PVqEEQM5D\n"
           "X8Cv3jAc0ebe3bjtgaJxJ+cmQd9u4qmO2m9tRyiq6ZXSs7nELaxBktuuc/bdZqME\n"
           "RJic9bnaGiYJUI2ieZQ=",
           "ENCRYPTED PRIVATE KEY"),
       "is encrypted"},
  };
  for (const auto& [text, rule] : rows) {
    CAPTURE(text);
    const auto signer = read(text);
    REQUIRE_FALSE(signer);
    CHECK(signer.error().code == ErrorCode::bad_configuration);
    CHECK_THAT(signer.error().message, Catch::Contains(rule));
    if (text.size() > 10) CHECK(signer.error().message.find(text.substr(0, 10)) == std::string::npos);
  }
}

TEST_CASE("a generated key is read back, is another each time, and signs") {
  const auto first = generate_key();
  const auto second = generate_key();
  CHECK(first.public_key.bytes != second.public_key.bytes);
  CHECK(first.private_pem.size() == 119);
  const auto signer = PrivateKeySigner::read(first.private_pem);
  REQUIRE(signer);
  CHECK((*signer)->public_key()->bytes == first.public_key.bytes);
  CHECK(read_license_key(to_spki(first.public_key))->bytes == first.public_key.bytes);
}
