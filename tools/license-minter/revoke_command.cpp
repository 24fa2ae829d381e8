#include <cameleer/core/license_validation.hpp>

#include "license-minter/delivery.hpp"
#include "license-minter/file_access.hpp"

namespace cameleer::license_minter {
namespace {

/// The list before, which must be by the same key: a list from somebody else would revoke in the vendor's name.
Outcome<LicenseRevocations> read_previous(const std::string& path, const Signing& signing, Instant now) {
  const auto key = signing.signer->public_key();
  if (!key) return fail_with(ExitCode::usage, "--previous with --sign-command needs --public-key.");
  const auto text = read_text_file(path, longest_revocation_list);
  if (!text) return fail_with(ExitCode::usage, fmt::format("--previous: the file {}.", text.error().message));
  const auto ring = LicenseKeyRing::of({*key}, LicenseTrust::environment);
  if (!ring) return fail_with(ExitCode::key, fmt::format("--public-key: {}", ring.error().message));
  const auto verdict = validate_revocations(*text, *ring, now);
  if (verdict) return *verdict;
  return fail_with(ExitCode::mismatch, fmt::format("--previous: {}", verdict.error().message));
}

/// The list that is asked for: what was revoked stays so.
Outcome<LicenseRevocations> list_of(const RevokeOptions& options, const Signing& signing, Instant now) {
  LicenseRevocations list{.sequence = 0, .issued_at = std::chrono::floor<std::chrono::seconds>(now)};
  std::int64_t lowest = 0;
  if (options.previous) {
    auto previous = read_previous(*options.previous, signing, now);
    if (!previous) return std::unexpected(previous.error());
    list.license_ids = std::move(previous->license_ids);
    lowest = list.sequence = previous->sequence + 1;
  }
  if (options.sequence) {
    const auto sequence = parse_whole(*options.sequence);
    if (!sequence || *sequence > largest_license_limit || *sequence < lowest) {
      return fail_with(ExitCode::usage,
                       fmt::format("--sequence must be a whole number from {} to {}.", lowest, largest_license_limit));
    }
    list.sequence = *sequence;
  }
  list.license_ids.insert(list.license_ids.end(), options.license_ids.begin(), options.license_ids.end());
  return list;
}

Outcome<void> check(const RevokeOptions& options) {
  if (options.license_ids.empty()) return fail_with(ExitCode::usage, "--license-id is missing.");
  for (const auto& id : options.license_ids) {
    if (!is_license_id(id)) return fail_with(ExitCode::usage, "--license-id must be a UUID.");
  }
  if (!options.sequence && !options.previous) {
    return fail_with(ExitCode::usage, "--sequence is missing: 1 for the first list, or say --previous.");
  }
  return {};
}

}  // namespace

Outcome<void> revoke(const CommandLine& line, const Surroundings& surroundings) {
  if (auto ok = check(line.revocations); !ok) return ok;
  const auto signing = open_signing(line.signing, surroundings.say);
  if (!signing) return std::unexpected(signing.error());
  const auto asked = list_of(line.revocations, *signing, surroundings.now());
  if (!asked) return std::unexpected(asked.error());
  const auto list = minting::in_order(*asked);
  const auto verify = [&](std::string_view token, const LicenseKeyRing& ring) -> std::optional<std::string> {
    const auto verdict = validate_revocations(token, ring, surroundings.now());
    if (!verdict) return fmt::format("{}: {}", name_of(verdict.error().reason), verdict.error().message);
    return *verdict == list ? std::nullopt : std::optional<std::string>("The token holds another list.");
  };
  const Product product{
      .name = "revocations",
      .payload = canonical_payload(list),
      .format = "token",
      .sentence = fmt::format("List {} of {} revoked licences", list.sequence, list.license_ids.size())};
  return deliver(minting::mint_revocations(list, *signing->signer), product, line.signing, *signing, verify,
                 surroundings);
}

}  // namespace cameleer::license_minter
