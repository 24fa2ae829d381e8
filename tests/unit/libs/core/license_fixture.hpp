#pragma once
#include <openssl/evp.h>

#include <cameleer/core/base64.hpp>
#include <cameleer/core/license_validation.hpp>
#include <catch2/catch.hpp>
#include <map>
#include <memory>

/// A vendor for tests: keys and signatures by OpenSSL itself, not by the code that is tested or by that of minting.
namespace cameleer::licensing_test {

class SigningKey {
 public:
  explicit SigningKey(char seed)
      : seed_(32, seed),
        key_(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr,
                                          reinterpret_cast<const unsigned char*>(seed_.data()), seed_.size()),
             &EVP_PKEY_free) {}

  const std::string& seed() const { return seed_; }
  LicenseKey public_key(std::optional<std::string> id = {}) const {
    LicenseKey key{.key_id = std::move(id)};
    std::size_t size = key.bytes.size();
    if (EVP_PKEY_get_raw_public_key(key_.get(), key.bytes.data(), &size) != 1) throw std::runtime_error("no key");
    return key;
  }
  std::string sign(std::string_view message) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    std::string signature(64, '\0');
    std::size_t size = signature.size();
    if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       reinterpret_cast<const unsigned char*>(message.data()), message.size()) != 1) {
      throw std::runtime_error("no signature");
    }
    return signature;
  }
  std::string token(std::string_view payload) const { return base64(payload) + "." + base64(sign(payload)); }
  std::string jwt(std::string_view header, std::string_view payload) const {
    const auto text = base64url(header) + "." + base64url(payload);
    return text + "." + base64url(sign(text));
  }

 private:
  std::string seed_;
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
};

inline LicenseKeyRing ring_of(std::vector<LicenseKey> keys) {
  auto ring = LicenseKeyRing::of(std::move(keys), LicenseTrust::environment);
  if (!ring) throw std::runtime_error(ring.error().message);
  return *ring;
}

inline Instant at(std::string_view text) {
  return parse_instant(text).value();
}

inline constexpr std::string_view license_id = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";
inline constexpr std::string_view jwt_header = R"({"alg":"EdDSA","typ":"license+jwt"})";

/// A licence's members, each as JSON.
using Payload = std::map<std::string, std::string>;
inline Payload payload() {
  return {{"expiresAt", R"("2027-04-26T23:59:59Z")"},
          {"gracePeriodDays", "14"},
          {"issuedAt", R"("2026-04-26T16:33:12Z")"},
          {"label", R"("Acme Team")"},
          {"licenseId", '"' + std::string(license_id) + '"'},
          {"limits", R"({"max_apps":50,"max_environments":5})"},
          {"tenantId", R"("acme")"}};
}
inline std::string json_of(const Payload& members) {
  std::string json = "{";
  for (const auto& [name, value] : members)
    json.append(json.size() == 1 ? "\"" : ",\"").append(name).append("\":").append(value);
  return json + "}";
}
inline std::string payload_with(const std::string& name, const std::string& value) {
  auto members = payload();
  members[name] = value;
  return json_of(members);
}
inline std::string payload_without(const std::string& name) {
  auto members = payload();
  members.erase(name);
  return json_of(members);
}

/// Validates as the tenant acme on 2026-11-22, with nothing revoked.
inline LicenseVerdict<LicenseInfo> validated(std::string_view token, const LicenseKeyRing& keys,
                                             Instant now = at("2026-11-22T00:00:00Z")) {
  return validate_license(token, keys, {}, "acme", now);
}

/// A token and the reason for which it is refused.
struct Wrong {
  std::string name;
  std::string token;
  LicenseReason reason;
};

inline void check_wrong(const std::vector<Wrong>& rows, const LicenseKeyRing& keys) {
  for (const auto& row : rows) {
    CAPTURE(row.name, row.token.substr(0, 300));
    const auto verdict = validated(row.token, keys);
    REQUIRE_FALSE(verdict.has_value());
    CAPTURE(verdict.error().message);
    CHECK(name_of(verdict.error().reason) == name_of(row.reason));
    CHECK(verdict.error().message.ends_with('.') != verdict.error().message.ends_with('?'));
    CHECK(verdict.error().message.size() < 400);
  }
}

}  // namespace cameleer::licensing_test
