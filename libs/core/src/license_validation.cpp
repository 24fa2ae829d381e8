#include <fmt/format.h>

#include <algorithm>
#include <cameleer/core/base64.hpp>
#include <cameleer/core/license_validation.hpp>

#include "license_reader.hpp"
#include "license_times.hpp"

namespace cameleer {
namespace {

using enum LicenseReason;
using license_json::reject;

constexpr std::size_t kSignatureSize = 64;

/// A token in its parts; the texts point into the token.
struct Parts {
  UnverifiedToken token;
  std::string_view signed_text;  ///< what a JWT's signature is over
  [[nodiscard]] std::string_view message() const { return token.jwt_header ? signed_text : token.payload; }
};

LicenseVerdict<Parts> assembled(std::optional<std::string> payload, std::optional<std::string> signature,
                                std::string_view alphabet) {
  if (!payload) return reject(MALFORMED, fmt::format("The payload is no {}.", alphabet));
  if (!signature) return reject(MALFORMED, fmt::format("The signature is no {}.", alphabet));
  if (payload->empty()) return reject(MALFORMED, "The payload is empty.");
  if (signature->size() != kSignatureSize) {
    return reject(MALFORMED,
                  fmt::format("The signature has {} bytes; one of Ed25519 has {}.", signature->size(), kSignatureSize));
  }
  return Parts{.token = {.payload = std::move(*payload), .signature = std::move(*signature)}, .signed_text = {}};
}

LicenseVerdict<Parts> parts_of(std::string_view text, std::size_t longest) {
  if (text.size() > longest) return reject(MALFORMED, fmt::format("The token is longer than {} bytes.", longest));
  const auto token = license_json::trimmed(text);
  if (token.empty()) return reject(MALFORMED, "The token is empty.");
  const auto first = token.find('.'), last = token.rfind('.');
  if (first == std::string_view::npos) return reject(MALFORMED, "The token is one part; a licence has two.");
  const auto signature = token.substr(last + 1);
  if (first == last) {
    return assembled(decode_base64(token.substr(0, first)), decode_base64(signature), "base64 (RFC 4648 §4, padded)");
  }
  const auto middle = token.substr(first + 1, last - first - 1);
  if (middle.contains('.')) return reject(MALFORMED, "The token has more than three parts.");
  auto header = decode_base64url(token.substr(0, first));
  if (!header || header->empty()) return reject(MALFORMED, "The JWT's header is no base64url.");
  auto parts = assembled(decode_base64url(middle), decode_base64url(signature), "base64url without padding");
  if (!parts) return parts;
  parts->token.jwt_header = std::move(header);
  parts->signed_text = token.substr(0, last);
  return parts;
}

/// Its signer, or why there is none.
LicenseVerdict<const LicenseKey*> signer_of(const Parts& parts, const LicenseKeyRing& keys) {
  if (keys.empty()) return reject(UNKNOWN_KEY, "No public key is configured, so no licence can be verified.");
  const auto* key = keys.signer_of(parts.message(), parts.token.signature);
  if (key == nullptr) {
    return reject(
        BAD_SIGNATURE,
        keys.keys().size() == 1
            ? "The signature is not of the configured public key: the token was changed, or another key made it."
            : fmt::format("The signature is of none of the {} public keys: the token was changed, or another "
                          "key made it.",
                          keys.keys().size()));
  }
  return key;
}

bool names_another(const std::optional<std::string>& key_id, const LicenseKey& signer, const LicenseKeyRing& keys) {
  return key_id && key_id != signer.key_id && (signer.key_id || keys.names(*key_id));
}

std::optional<LicenseRejection> key_fault(const LicenseInfo& license, const std::optional<std::string>& kid,
                                          const LicenseKey& signer, const LicenseKeyRing& keys) {
  for (const auto& named : {license.key_id, kid}) {
    if (names_another(named, signer, keys)) {
      return LicenseRejection{
          .reason = UNKNOWN_KEY,
          .message = fmt::format("The licence names the key {}, and another one signed it.", *named)};
    }
  }
  if (!signer.covers(license.issued_at)) {
    return LicenseRejection{.reason = UNKNOWN_KEY,
                            .message = fmt::format("The key that signed does not count for a licence issued at {}.",
                                                   format_instant(license.issued_at))};
  }
  return std::nullopt;
}

std::unexpected<LicenseRejection> reject_read(LicenseReason reason, std::string message, LicenseInfo license) {
  return std::unexpected(
      LicenseRejection{.reason = reason, .message = std::move(message), .license = std::move(license)});
}

LicenseVerdict<LicenseInfo> judged(LicenseInfo license, const LicenseRevocations& revocations,
                                   std::string_view tenant_id, Instant now) {
  if (license.tenant_id != tenant_id) {
    return reject(TENANT_MISMATCH, fmt::format("The licence is for the tenant {}, and this is the tenant {}.",
                                               license.tenant_id, tenant_id));
  }
  if (license.issued_at > now + license_clock_tolerance) {
    auto message = fmt::format("The licence is issued at {}, which is yet to come; is the clock right?",
                               format_instant(license.issued_at));
    return reject_read(NOT_YET_VALID, std::move(message), std::move(license));
  }
  if (revocations.revokes(license.license_id)) {
    auto message = fmt::format("The vendor revoked the licence {}.", license.license_id);
    return reject_read(REVOKED, std::move(message), std::move(license));
  }
  if (now > license.grace_ends_at()) return std::unexpected(expired(license));
  return license;
}

}  // namespace

std::string_view name_of(LicenseReason reason) {
  constexpr std::array<std::string_view, 10> names{"MALFORMED",      "BAD_SIGNATURE", "UNKNOWN_KEY", "TENANT_MISMATCH",
                                                   "MISSING_MEMBER", "UNKNOWN_LIMIT", "BAD_VALUE",   "NOT_YET_VALID",
                                                   "REVOKED",        "EXPIRED"};
  return names[static_cast<std::size_t>(reason)];
}

bool LicenseRevocations::revokes(std::string_view license_id) const {
  return std::ranges::binary_search(license_ids, license_id);
}

LicenseVerdict<LicenseInfo> validate_license(std::string_view token, const LicenseKeyRing& keys,
                                             const LicenseRevocations& revocations, std::string_view tenant_id,
                                             Instant now) {
  const auto parts = parts_of(token, longest_license_token);
  if (!parts) return std::unexpected(parts.error());
  const auto signer = signer_of(*parts, keys);
  if (!signer) return std::unexpected(signer.error());
  std::optional<std::string> kid;
  if (parts->token.jwt_header) {
    auto header = license_json::read_jwt_header(*parts->token.jwt_header);
    if (!header) return std::unexpected(std::move(header.error()));
    kid = std::move(*header);
  }
  auto license = license_json::read_license(parts->token.payload);
  if (!license) return license;
  if (auto fault = key_fault(*license, kid, **signer, keys)) return std::unexpected(std::move(*fault));
  return judged(std::move(*license), revocations, tenant_id, now);
}

LicenseVerdict<LicenseRevocations> validate_revocations(std::string_view token, const LicenseKeyRing& keys,
                                                        Instant now) {
  const auto parts = parts_of(token, longest_revocation_list);
  if (!parts) return std::unexpected(parts.error());
  if (parts->token.jwt_header) return reject(MALFORMED, "A revocation list has two parts.");
  const auto signer = signer_of(*parts, keys);
  if (!signer) return std::unexpected(signer.error());
  auto revocations = license_json::read_revocations(parts->token.payload);
  if (!revocations) return revocations;
  if (!(*signer)->covers(revocations->issued_at)) {
    return reject(UNKNOWN_KEY, fmt::format("The key that signed does not count for a list issued at {}.",
                                           format_instant(revocations->issued_at)));
  }
  if (revocations->issued_at > now + license_clock_tolerance) {
    return reject(NOT_YET_VALID, fmt::format("The list is issued at {}, which is yet to come; is the clock right?",
                                             format_instant(revocations->issued_at)));
  }
  return revocations;
}

LicenseVerdict<UnverifiedToken> split_token(std::string_view token) {
  auto parts = parts_of(token, longest_revocation_list);
  if (!parts) return std::unexpected(std::move(parts.error()));
  return std::move(parts->token);
}

LicenseVerdict<LicenseInfo> read_unverified_license(std::string_view payload) {
  return license_json::read_license(payload);
}

LicenseVerdict<LicenseRevocations> read_unverified_revocations(std::string_view payload) {
  return license_json::read_revocations(payload);
}

}  // namespace cameleer
