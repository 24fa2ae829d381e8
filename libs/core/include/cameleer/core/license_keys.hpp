#pragma once
#include <array>
#include <cameleer/core/error.hpp>
#include <cameleer/core/instant.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cameleer {

/// A vendor's Ed25519 public key. Copyable, immutable.
struct LicenseKey {
  std::array<unsigned char, 32> bytes = {};
  std::optional<std::string> key_id = {};   ///< named by a licence's `keyId`
  std::optional<Instant> valid_from = {};   ///< licences issued before it are UNKNOWN_KEY
  std::optional<Instant> valid_until = {};  ///< licences issued after it are UNKNOWN_KEY
  [[nodiscard]] bool covers(Instant issued_at) const {
    return !(valid_from && issued_at < *valid_from) && !(valid_until && issued_at > *valid_until);
  }
  bool operator==(const LicenseKey&) const = default;
};

enum class LicenseTrust : unsigned char { none, embedded, environment };
std::string_view name_of(LicenseTrust trust);

/// The public keys a server trusts, at most 8, each once, key ids unique. Empty: every licence is INVALID. Immutable
/// and cheap to copy; threads may share it.
class LicenseKeyRing {
 public:
  static constexpr std::size_t most_keys = 8;
  LicenseKeyRing() = default;
  /// bad_configuration for more than 8 keys, a key or a key id twice, a key id with other characters, and bytes that
  /// are no good public key: not canonical, no point of the curve, or one of small order.
  static Expected<LicenseKeyRing> of(std::vector<LicenseKey> keys, LicenseTrust trust);

  [[nodiscard]] const std::vector<LicenseKey>& keys() const { return keys_; }
  [[nodiscard]] bool empty() const { return keys_.empty(); }
  [[nodiscard]] LicenseTrust trust() const { return trust_; }
  [[nodiscard]] bool names(std::string_view key_id) const;

  /// The key that made the 64 bytes of `signature` over `message` (Ed25519, RFC 8032), or null. Keys are tried in their
  /// order. The pointer lives as long as this ring.
  [[nodiscard]] const LicenseKey* signer_of(std::string_view message, std::string_view signature) const;

  /// The keys of this ring that `allowed` holds too, within both windows: an environment can only narrow what a vendor
  /// embedded. Key ids and trust stay this ring's.
  [[nodiscard]] LicenseKeyRing narrowed_to(const LicenseKeyRing& allowed) const;

 private:
  struct Prepared;  // OpenSSL's form of the keys, made once
  std::vector<LicenseKey> keys_;
  LicenseTrust trust_ = LicenseTrust::none;
  std::shared_ptr<const Prepared> prepared_;
};

/// Reads one key: base64 of an X.509 SPKI (44 bytes) or of the raw 32 bytes, or PEM. White space around (and inside
/// PEM) is tolerated; `had_white_space` tells of such around the key, for a warning. bad_configuration says the rule.
Expected<LicenseKey> read_license_key(std::string_view text, bool* had_white_space = nullptr);

/// Reads a list: JSON `[{"keyId":"2026","key":"<base64 SPKI>","validFrom":"…","validUntil":"…"}, …]` (a string is
/// allowed in place of an object), keys separated by commas or lines, each `key` or `keyId=key`, or PEM blocks. At most
/// 64 KiB. bad_configuration names the entry (from 1) and the rule. White space alone is an empty ring.
Expected<LicenseKeyRing> read_license_keys(std::string_view text, LicenseTrust trust);

/// The base64 SPKI of a key, as `read_license_key` takes it.
std::string to_spki(const LicenseKey& key);

/// The list that a vendor's build embeds (`-DCAMELEER_LICENSE_KEYS=FILE`); empty in every other build.
std::string_view embedded_license_keys();

}  // namespace cameleer
