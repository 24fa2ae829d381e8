#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cameleer/identity/encoding.hpp>
#include <cameleer/identity/signature.hpp>
#include <memory>
#include <stdexcept>

namespace cameleer::identity {
namespace {

constexpr std::size_t kSignatureBytes = 64;

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Key private_key(std::string_view seed) {
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes_of(seed), seed.size()), EVP_PKEY_free);
  if (!key) throw std::runtime_error("OpenSSL refused an Ed25519 seed");
  return key;
}

}  // namespace

std::string sign_text(std::string_view seed, std::string_view text) {
  const auto key = private_key(seed);
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::string signature(kSignatureBytes, '\0');
  auto length = signature.size();
  if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length, bytes_of(text),
                     text.size()) != 1) {
    throw std::runtime_error("OpenSSL refused to sign with Ed25519");
  }
  return base64url(signature);
}

std::string public_key_of(std::string_view seed) {
  const auto key = private_key(seed);
  unsigned char* der = nullptr;
  const int length = i2d_PUBKEY(key.get(), &der);
  if (length <= 0) throw std::runtime_error("OpenSSL refused an Ed25519 seed");
  std::string spki(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
  OPENSSL_free(der);
  return base64(spki);
}

bool signed_by(std::string_view public_key, std::string_view text, std::string_view signature) {
  const auto der = decode_base64(public_key);
  const auto bytes = decode_base64url(signature);
  if (!der || !bytes) return false;
  const auto* at = bytes_of(*der);
  const Key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der->size())), EVP_PKEY_free);
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  return key && context && EVP_PKEY_base_id(key.get()) == EVP_PKEY_ED25519 &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(*bytes), bytes->size(), bytes_of(text), text.size()) == 1;
}

}  // namespace cameleer::identity
