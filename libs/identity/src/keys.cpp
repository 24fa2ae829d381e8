#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/x509.h>

#include <cameleer/identity/encoding.hpp>
#include <cameleer/identity/keys.hpp>
#include <memory>
#include <stdexcept>

namespace cameleer::identity {
namespace {

constexpr std::size_t kKeyBytes = 32;

DerivedKey derive(const MasterKey& master, std::string_view label) {
  DerivedKey key;
  key.bytes = hkdf_sha256(master.bytes(), label, kKeyBytes);
  key.id = sha256_hex(hkdf_sha256(key.bytes, "key-id/v1", 16)).substr(0, 16);
  return key;
}

std::string check_value_of(const MasterKey& master) {
  return base64url(hkdf_sha256(master.bytes(), "check/v1", kKeyBytes));
}

std::string ed25519_public_key(std::string_view seed) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(seed.data()),
                                   seed.size()),
      EVP_PKEY_free);
  unsigned char* der = nullptr;
  const int length = key ? i2d_PUBKEY(key.get(), &der) : -1;
  if (length <= 0) throw std::runtime_error("OpenSSL refused an Ed25519 seed");
  std::string spki(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
  OPENSSL_free(der);
  return base64(spki);
}

const DerivedKey* find(const DerivedKey& current, const std::optional<DerivedKey>& previous, std::string_view id) {
  if (current.id == id) return &current;
  if (previous && previous->id == id) return &*previous;
  return nullptr;
}

}  // namespace

std::string hkdf_sha256(std::string_view key, std::string_view label, std::size_t length) {
  const std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr), EVP_KDF_free);
  const std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context(EVP_KDF_CTX_new(kdf.get()), EVP_KDF_CTX_free);
  std::string digest = "SHA256";
  std::string secret(key);
  std::string info(label);
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string("digest", digest.data(), digest.size()),
      OSSL_PARAM_construct_octet_string("key", secret.data(), secret.size()),
      OSSL_PARAM_construct_octet_string("info", info.data(), info.size()),
      OSSL_PARAM_construct_end(),
  };
  std::string derived(length, '\0');
  if (!context || EVP_KDF_derive(context.get(), reinterpret_cast<unsigned char*>(derived.data()), derived.size(),
                                 parameters) != 1) {
    throw std::runtime_error("OpenSSL refused HKDF-SHA256");
  }
  return derived;
}

Expected<MasterKey> MasterKey::parse(std::string_view base64) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = base64.find_first_not_of(kSpace);
  if (first != std::string_view::npos) base64 = base64.substr(first, base64.find_last_not_of(kSpace) - first + 1);
  auto bytes = decode_base64(base64);
  if (!bytes || bytes->size() != kKeyBytes) {
    return fail(ErrorCode::bad_configuration, "The master key must be the base64 of exactly 32 bytes.");
  }
  return MasterKey(std::move(*bytes));
}

MasterKey MasterKey::from_bytes(std::string_view thirty_two_bytes) {
  if (thirty_two_bytes.size() != kKeyBytes) throw std::invalid_argument("a master key has 32 bytes");
  return MasterKey(std::string(thirty_two_bytes));
}

std::string MasterKey::to_base64() const {
  return base64(bytes_);
}

Keys::Keys(const MasterKey& current, const std::optional<MasterKey>& previous)
    : jwt_(derive(current, "jwt/v1")),
      secrets_(derive(current, "secrets/v1")),
      artifact_urls_(derive(current, "artifact-url/v1")),
      cursors_(derive(current, "cursor/v1")),
      command_signing_(derive(current, "command-signing/v1")),
      command_public_key_(ed25519_public_key(command_signing_.bytes)),
      check_value_(check_value_of(current)) {
  if (!previous) return;
  previous_jwt_ = derive(*previous, "jwt/v1");
  previous_secrets_ = derive(*previous, "secrets/v1");
  previous_check_value_ = check_value_of(*previous);
}

const DerivedKey* Keys::jwt_by_id(std::string_view id) const {
  return find(jwt_, previous_jwt_, id);
}
std::optional<std::string> Keys::previous_secrets_id() const {
  return previous_secrets_ ? std::optional(previous_secrets_->id) : std::nullopt;
}
const DerivedKey* Keys::secrets_by_id(std::string_view id) const {
  return find(secrets_, previous_secrets_, id);
}

}  // namespace cameleer::identity
