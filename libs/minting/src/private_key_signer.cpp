#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cameleer/minting/signer.hpp>

#include "ed25519.hpp"
#include "secret_base64.hpp"

namespace cameleer::minting {
namespace {

std::unexpected<Error> refuse(std::string_view rule) {
  ERR_clear_error();
  return fail(ErrorCode::bad_configuration, fmt::format("The private key {}.", rule));
}

bool is_space(unsigned char character) {
  return character == ' ' || character == '\t' || character == '\r' || character == '\n';
}

/// What is between the armour of the first PEM block. The flag has OpenSSL wipe its own buffers.
Expected<SecretBytes> der_of_pem(const SecretBytes& text) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())),
                                                      BIO_free);
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long length = 0;
  if (PEM_read_bio_ex(bio.get(), &name, &header, &data, &length, PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE) != 1) {
    return refuse("is not a whole PEM block");
  }
  const std::string label(name);
  const bool encrypted = header[0] != '\0' || label == "ENCRYPTED PRIVATE KEY";
  SecretBytes der({reinterpret_cast<const char*>(data), static_cast<std::size_t>(length)});
  OPENSSL_secure_free(name);
  OPENSSL_secure_free(header);
  OPENSSL_secure_clear_free(data, static_cast<std::size_t>(length));
  if (encrypted) return refuse("is encrypted: decrypt it into a pipe, or let a command sign");
  if (label == "PUBLIC KEY") return refuse("is a public key");
  if (label != "PRIVATE KEY") return refuse("must be PKCS#8 (BEGIN PRIVATE KEY)");
  return der;
}

Expected<SecretBytes> der_of(const SecretBytes& text) {
  if (text.text().find("-----BEGIN ") != std::string_view::npos) return der_of_pem(text);
  SecretBytes packed(text.size());
  const auto end = std::ranges::copy_if(text.bytes(), packed.data(), [](auto one) { return !is_space(one); }).out;
  packed.shrink(static_cast<std::size_t>(end - packed.data()));
  if (packed.size() == 0) return refuse("is empty");
  auto der = decode_secret_base64(packed.bytes());
  if (!der) return refuse("is neither PEM nor the base64 of PKCS#8");
  return std::move(*der);
}

/// The 32 bytes inside a PKCS#8 of RFC 8410: an OCTET STRING in the private key's OCTET STRING.
Expected<SecretBytes> seed_of(const SecretBytes& der) {
  const auto* at = der.data();
  const std::unique_ptr<PKCS8_PRIV_KEY_INFO, decltype(&PKCS8_PRIV_KEY_INFO_free)> info(
      d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())), PKCS8_PRIV_KEY_INFO_free);
  if (!info || at != der.data() + der.size()) return refuse("is not PKCS#8");
  const ASN1_OBJECT* algorithm = nullptr;
  const unsigned char* key = nullptr;
  int length = 0;
  if (PKCS8_pkey_get0(&algorithm, &key, &length, nullptr, info.get()) != 1) return refuse("is not PKCS#8");
  if (OBJ_obj2nid(algorithm) != NID_ED25519) return refuse("is not an Ed25519 key");
  constexpr int kPrefix = 2;
  if (length != kPrefix + static_cast<int>(seed_bytes) || key[0] != V_ASN1_OCTET_STRING || key[1] != seed_bytes) {
    return refuse("is not an Ed25519 key of 32 bytes");
  }
  return SecretBytes({reinterpret_cast<const char*>(key + kPrefix), seed_bytes});
}

}  // namespace

PrivateKeySigner::PrivateKeySigner(SecretBytes seed) : seed_(std::move(seed)), public_key_(public_key_of(seed_)) {}

Expected<std::unique_ptr<PrivateKeySigner>> PrivateKeySigner::read(const SecretBytes& key) {
  const auto der = der_of(key);
  if (!der) return std::unexpected(der.error());
  auto seed = seed_of(*der);
  if (!seed) return std::unexpected(seed.error());
  return std::unique_ptr<PrivateKeySigner>(new PrivateKeySigner(std::move(*seed)));
}

Expected<Signature> PrivateKeySigner::sign(std::span<const unsigned char> payload) {
  return sign_with(seed_, payload);
}

}  // namespace cameleer::minting
