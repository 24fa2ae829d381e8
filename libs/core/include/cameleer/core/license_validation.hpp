#pragma once
#include <cameleer/core/license.hpp>
#include <cameleer/core/license_keys.hpp>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cameleer {

/// Why a token is not a licence here: a closed list, part of the REST contract.
enum class LicenseReason : std::uint8_t {
  MALFORMED,
  BAD_SIGNATURE,
  UNKNOWN_KEY,
  TENANT_MISMATCH,
  MISSING_MEMBER,
  UNKNOWN_LIMIT,
  BAD_VALUE,
  NOT_YET_VALID,
  REVOKED,
  EXPIRED,  ///< past its grace period
};
std::string_view name_of(LicenseReason reason);

struct LicenseRejection {
  LicenseReason reason = LicenseReason::MALFORMED;
  std::string message;  ///< a sentence for people; names the member and the rule, never the token
  /// What was read, for NOT_YET_VALID, REVOKED and EXPIRED only (its signature held).
  std::optional<LicenseInfo> license = {};
  bool operator==(const LicenseRejection&) const = default;
};

/// A signed list of licences that no longer count. It takes the place of one with a lower `sequence`.
struct LicenseRevocations {
  std::int64_t sequence = 0;
  Instant issued_at = {};
  std::vector<std::string> license_ids = {};  ///< in lower case, sorted, each once
  [[nodiscard]] bool revokes(std::string_view license_id) const;
  bool operator==(const LicenseRevocations&) const = default;
};
/// The bytes that are signed: `{"issuedAt":…,"kind":"revocations","licenseIds":[…],"sequence":…}`.
std::string canonical_payload(const LicenseRevocations& revocations);

inline constexpr std::size_t longest_license_token = 16 * 1024;
inline constexpr std::size_t longest_revocation_list = 1024 * 1024;

template <class Value>
using LicenseVerdict = std::expected<Value, LicenseRejection>;

/// A pure function; whatever the token, never throws (but std::bad_alloc). Both forms are read:
/// `base64(payload).base64(signature)` (RFC 4648 §4, padded; the signature is over the payload bytes) and a JWT (`alg`
/// EdDSA, `typ` license+jwt, base64url). White space around the token is dropped, a file ends with some; none is
/// allowed within. The signature is tried with each key of the ring before any JSON is read, a JWT's header included.
/// After it, in this order: JSON, members, key id and the key's window, tenant, NOT_YET_VALID (issued more than 5
/// minutes ahead), REVOKED, EXPIRED.
LicenseVerdict<LicenseInfo> validate_license(std::string_view token, const LicenseKeyRing& keys,
                                             const LicenseRevocations& revocations, std::string_view tenant_id,
                                             Instant now);

/// Reads a signed revocation list, in the same two-part form, `kind` "revocations". A licence is refused, as a list is
/// refused by `validate_license`.
LicenseVerdict<LicenseRevocations> validate_revocations(std::string_view token, const LicenseKeyRing& keys,
                                                        Instant now);

/// The bytes that a token holds, whoever wrote it: to show them to people, never to decide by.
struct UnverifiedToken {
  std::string payload;
  std::string signature;
  std::optional<std::string> jwt_header = {};  ///< of the JWT form
};
LicenseVerdict<UnverifiedToken> split_token(std::string_view token);
/// What a payload says, by the rules for members alone.
LicenseVerdict<LicenseInfo> read_unverified_license(std::string_view payload);
LicenseVerdict<LicenseRevocations> read_unverified_revocations(std::string_view payload);

}  // namespace cameleer
