#include "ed25519.hpp"

#include <openssl/evp.h>

#include <memory>
#include <stdexcept>

namespace cameleer::minting {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

Key private_key(const SecretBytes& seed) {
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()), EVP_PKEY_free);
  if (!key) throw std::runtime_error("OpenSSL refused an Ed25519 seed");
  return key;
}

}  // namespace

LicenseKey public_key_of(const SecretBytes& seed) {
  LicenseKey key;
  auto length = key.bytes.size();
  if (EVP_PKEY_get_raw_public_key(private_key(seed).get(), key.bytes.data(), &length) != 1) {
    throw std::runtime_error("OpenSSL gave no public key");
  }
  return key;
}

Signature sign_with(const SecretBytes& seed, std::span<const unsigned char> payload) {
  const auto key = private_key(seed);
  const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  Signature signature{};
  auto length = signature.size();
  if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &length, payload.data(), payload.size()) != 1) {
    throw std::runtime_error("OpenSSL refused to sign with Ed25519");
  }
  return signature;
}

}  // namespace cameleer::minting
