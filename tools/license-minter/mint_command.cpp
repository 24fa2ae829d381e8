#include <cameleer/core/license_validation.hpp>

#include "license-minter/delivery.hpp"
#include "license-minter/report.hpp"

namespace cameleer::license_minter {

Outcome<void> mint_license(const CommandLine& line, const Surroundings& surroundings) {
  const auto license = license_of(line.license, surroundings.now(), surroundings.random);
  if (!license) return std::unexpected(license.error());
  const auto signing = open_signing(line.signing, surroundings.say);
  if (!signing) return std::unexpected(signing.error());
  const auto verify = [&](std::string_view token, const LicenseKeyRing& ring) -> std::optional<std::string> {
    const auto verdict = validate_license(token, ring, {}, license->tenant_id, surroundings.now());
    if (!verdict) return fmt::format("{}: {}", name_of(verdict.error().reason), verdict.error().message);
    return *verdict == *license ? std::nullopt : std::optional<std::string>("The token holds another licence.");
  };
  const Product product{.name = "license",
                        .payload = canonical_payload(*license),
                        .format = line.format == minting::TokenFormat::jwt ? "jwt" : "token",
                        .sentence = fmt::format("Licence {} for {} until {}", license->license_id, license->tenant_id,
                                                seconds_of(license->expires_at))};
  return deliver(minting::mint(*license, *signing->signer, line.format), product, line.signing, *signing, verify,
                 surroundings);
}

}  // namespace cameleer::license_minter
