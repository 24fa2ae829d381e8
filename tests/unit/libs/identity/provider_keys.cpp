#include "provider_keys.hpp"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cameleer/identity/encoding.hpp>
#include <stdexcept>

using cameleer::identity::base64url;

namespace {

EVP_PKEY* generate(std::string_view alg) {
  if (alg == "ES256") return EVP_EC_gen("P-256");
  if (alg == "ES384") return EVP_EC_gen("P-384");
  if (alg == "ES512") return EVP_EC_gen("P-521");
  if (alg == "EdDSA") return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  return EVP_RSA_gen(2'048);
}

void require(bool held) {
  if (!held) throw std::runtime_error("OpenSSL refused what a test asked");
}

std::string number(EVP_PKEY* key, const char* name, std::size_t bytes) {
  BIGNUM* value = nullptr;
  require(EVP_PKEY_get_bn_param(key, name, &value) == 1);
  std::string text(bytes == 0 ? static_cast<std::size_t>(BN_num_bytes(value)) : bytes, '\0');
  BN_bn2binpad(value, reinterpret_cast<unsigned char*>(text.data()), static_cast<int>(text.size()));
  BN_free(value);
  return text;
}

const EVP_MD* digest_of(std::string_view alg) {
  if (alg == "EdDSA") return nullptr;
  return alg == "ES384" ? EVP_sha384() : alg == "ES512" ? EVP_sha512() : EVP_sha256();
}

}  // namespace

ProviderKey::ProviderKey(std::string alg, std::string kid)
    : alg_(std::move(alg)), kid_(std::move(kid)), key_(generate(alg_), EVP_PKEY_free) {}

std::size_t ProviderKey::coordinate_bytes() const {
  return alg_ == "ES256" ? 32 : alg_ == "ES384" ? 48 : alg_ == "ES512" ? 66 : 0;
}

std::string ProviderKey::jwk(std::string_view extra) const {
  auto* key = key_.get();
  if (const auto bytes = coordinate_bytes(); bytes > 0) {
    return fmt::format(R"({{"kty":"EC","kid":"{}","crv":"{}","x":"{}","y":"{}"{}}})", kid_,
                       bytes == 32   ? "P-256"
                       : bytes == 48 ? "P-384"
                                     : "P-521",
                       base64url(number(key, OSSL_PKEY_PARAM_EC_PUB_X, bytes)),
                       base64url(number(key, OSSL_PKEY_PARAM_EC_PUB_Y, bytes)), extra);
  }
  if (alg_ == "EdDSA") {
    std::string raw(32, '\0');
    std::size_t length = raw.size();
    require(EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(raw.data()), &length) == 1);
    return fmt::format(R"({{"kty":"OKP","kid":"{}","crv":"Ed25519","x":"{}"{}}})", kid_, base64url(raw), extra);
  }
  return fmt::format(R"({{"kty":"RSA","kid":"{}","n":"{}","e":"{}"{}}})", kid_,
                     base64url(number(key, OSSL_PKEY_PARAM_RSA_N, 0)), base64url(number(key, OSSL_PKEY_PARAM_RSA_E, 0)),
                     extra);
}

std::string ProviderKey::sign_der(std::string_view text) const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_PKEY_CTX* parameters = nullptr;
  require(EVP_DigestSignInit(context.get(), &parameters, digest_of(alg_), nullptr, key_.get()) == 1);
  if (alg_ == "PS256") {
    require(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1);
    require(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1);
  }
  std::string signature(1'024, '\0');
  std::size_t length = signature.size();
  require(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length,
                         reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1);
  signature.resize(length);
  return signature;
}

std::string ProviderKey::sign(std::string_view text) const {
  auto signature = sign_der(text);
  const auto bytes = coordinate_bytes();
  if (bytes == 0) return signature;
  const auto* at = reinterpret_cast<const unsigned char*>(signature.data());
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(signature.size())), ECDSA_SIG_free);
  std::string raw(2 * bytes, '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), out, static_cast<int>(bytes));
  BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), out + bytes, static_cast<int>(bytes));
  return raw;
}

std::string ProviderKey::public_pem() const {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), BIO_free);
  require(PEM_write_bio_PUBKEY(memory.get(), key_.get()) == 1);
  char* data = nullptr;
  const auto length = BIO_get_mem_data(memory.get(), &data);
  return {data, static_cast<std::size_t>(length)};
}

std::string ProviderKey::token(std::string_view payload, std::string_view more_header) const {
  const auto text =
      base64url(fmt::format(R"({{"alg":"{}","kid":"{}"{}}})", alg_, kid_, more_header)) + "." + base64url(payload);
  return text + "." + base64url(sign(text));
}

std::string jwk_set(std::initializer_list<std::string> keys) {
  return fmt::format(R"({{"keys":[{}]}})", fmt::join(keys, ","));
}

std::string compact(std::string_view header, std::string_view payload, std::string_view signature) {
  return base64url(header) + "." + base64url(payload) + "." + base64url(signature);
}
