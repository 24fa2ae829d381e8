#include <simdjson.h>

#include <algorithm>
#include <cameleer/core/base64.hpp>
#include <cameleer/core/json_writer.hpp>
#include <cameleer/minting/mint.hpp>
#include <cctype>

namespace cameleer::minting {
namespace {

using Seconds = std::chrono::seconds;

std::string_view text_of(const Signature& signature) {
  return {reinterpret_cast<const char*>(signature.data()), signature.size()};
}

/// What a server with the signer's key trusts. Empty: the signer does not tell its key.
LicenseKeyRing ring_of(const Signer& signer) {
  auto key = signer.public_key();
  if (!key) return {};
  auto ring = LicenseKeyRing::of({*std::move(key)}, LicenseTrust::environment);
  return ring ? *std::move(ring) : LicenseKeyRing();
}

Expected<std::string> sign(Signer& signer, std::string_view payload) {
  const auto signature = signer.sign({reinterpret_cast<const unsigned char*>(payload.data()), payload.size()});
  if (!signature) return std::unexpected(signature.error());
  const auto ring = ring_of(signer);
  if (!ring.empty() && ring.signer_of(payload, text_of(*signature)) == nullptr) {
    return fail(ErrorCode::license_rejected, "The signature is not by the private half of the public key.");
  }
  return std::string(text_of(*signature));
}

Expected<std::string> in_two_parts(std::string_view payload, Signer& signer) {
  const auto signature = sign(signer, payload);
  if (!signature) return signature;
  return base64(payload) + '.' + base64(*signature);
}

std::string jwt_header(const std::optional<std::string>& key_id) {
  JsonWriter json;
  json.begin_object().key("alg").text("EdDSA");
  if (key_id) json.key("kid").text(*key_id);
  return json.key("typ").text("license+jwt").end_object().take();
}

Expected<std::string> in_three_parts(std::string_view payload, const std::optional<std::string>& key_id,
                                     Signer& signer) {
  const auto signed_bytes = base64url(jwt_header(key_id)) + '.' + base64url(payload);
  const auto signature = sign(signer, signed_bytes);
  if (!signature) return signature;
  return signed_bytes + '.' + base64url(*signature);
}

Expected<void> refuse_length(std::size_t length, std::size_t most) {
  if (length <= most) return {};
  return fail(ErrorCode::invalid_member,
              fmt::format("The token has {} bytes; a server reads at most {}.", length, most));
}

}  // namespace

Expected<std::string> mint(const LicenseInfo& asked, Signer& signer, TokenFormat format) {
  auto license = asked;
  license.issued_at = std::chrono::floor<Seconds>(asked.issued_at);
  license.expires_at = std::chrono::floor<Seconds>(asked.expires_at);
  if (const auto ok = check_license(license); !ok) return std::unexpected(ok.error());
  const auto payload = canonical_payload(license);
  if (!simdjson::validate_utf8(payload)) return fail(ErrorCode::invalid_member, "The texts of a licence are UTF-8.");
  auto token =
      format == TokenFormat::jwt ? in_three_parts(payload, license.key_id, signer) : in_two_parts(payload, signer);
  if (!token) return token;
  if (const auto ok = refuse_length(token->size(), longest_license_token); !ok) return std::unexpected(ok.error());
  const auto ring = ring_of(signer);
  if (ring.empty()) return token;
  // Nobody gets a token that a server would not take.
  const auto verdict = validate_license(*token, ring, {}, license.tenant_id, license.issued_at);
  if (!verdict) return fail(ErrorCode::license_rejected, verdict.error().message);
  return token;
}

LicenseRevocations in_order(LicenseRevocations revocations) {
  revocations.issued_at = std::chrono::floor<Seconds>(revocations.issued_at);
  auto& ids = revocations.license_ids;
  for (auto& id : ids) {
    for (auto& one : id) one = static_cast<char>(std::tolower(static_cast<unsigned char>(one)));
  }
  std::ranges::sort(ids);
  ids.erase(std::ranges::unique(ids).begin(), ids.end());
  return revocations;
}

Expected<std::string> mint_revocations(const LicenseRevocations& asked, Signer& signer) {
  if (!std::ranges::all_of(asked.license_ids, is_license_id)) {
    return fail(ErrorCode::invalid_member, "A licence id is a UUID.", "/licenseIds");
  }
  if (asked.sequence < 0 || asked.sequence > largest_license_limit) {
    return fail(ErrorCode::invalid_member, "The sequence is a number from 0 to 2^53 - 1.", "/sequence");
  }
  const auto revocations = in_order(asked);
  auto token = in_two_parts(canonical_payload(revocations), signer);
  if (!token) return token;
  if (const auto ok = refuse_length(token->size(), longest_revocation_list); !ok) return std::unexpected(ok.error());
  const auto ring = ring_of(signer);
  if (ring.empty()) return token;
  const auto verdict = validate_revocations(*token, ring, revocations.issued_at);
  if (!verdict) return fail(ErrorCode::license_rejected, verdict.error().message);
  return token;
}

}  // namespace cameleer::minting
