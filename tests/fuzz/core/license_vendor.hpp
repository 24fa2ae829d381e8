#pragma once
#include <openssl/evp.h>

#include <cameleer/core/base64.hpp>
#include <cameleer/core/license_validation.hpp>
#include <memory>

/// Signs for the fuzzers, with a key that any of them knows.
namespace cameleer::licensing_fuzz {

class Vendor {
 public:
  Vendor()
      : key_(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr,
                                          reinterpret_cast<const unsigned char*>("cameleer fuzz vendor of licences"),
                                          32),
             &EVP_PKEY_free) {
    LicenseKey key;
    std::size_t size = key.bytes.size();
    if (EVP_PKEY_get_raw_public_key(key_.get(), key.bytes.data(), &size) != 1) __builtin_trap();
    ring = LicenseKeyRing::of({key}, LicenseTrust::environment).value();
  }

  std::string sign(std::string_view message) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    std::string signature(64, '\0');
    std::size_t size = signature.size();
    if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       reinterpret_cast<const unsigned char*>(message.data()), message.size()) != 1) {
      __builtin_trap();
    }
    return signature;
  }
  std::string token(std::string_view payload) const { return base64(payload) + "." + base64(sign(payload)); }
  std::string jwt(std::string_view header, std::string_view payload) const {
    const auto text = base64url(header) + "." + base64url(payload);
    return text + "." + base64url(sign(text));
  }

  LicenseKeyRing ring;

 private:
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
};

inline constexpr Instant now{std::chrono::seconds(1'795'000'000)};  // in November 2026

}  // namespace cameleer::licensing_fuzz
