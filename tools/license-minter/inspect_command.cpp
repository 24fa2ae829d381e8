#include <cameleer/core/json_writer.hpp>
#include <cameleer/core/license_state.hpp>
#include <filesystem>

#include "license-minter/commands.hpp"
#include "license-minter/file_access.hpp"
#include "license-minter/report.hpp"

namespace cameleer::license_minter {
namespace {

constexpr std::size_t kLongestKeyFile = 64 * 1024;

/// What is known about a token. Without a rejection it is as good as could be told.
struct Finding {
  std::string form = "token";
  std::string payload = {};  ///< as it stands in the token
  std::optional<LicenseInfo> license = {};
  std::optional<LicenseRevocations> revocations = {};
  std::optional<LicenseRejection> rejection = {};
  bool verified = false;  ///< with a key, that is
  std::optional<LicenseStanding> standing = {};
};

struct Trust {
  LicenseKeyRing ring;
  LicenseRevocations revocations;
};

Outcome<std::string> read_token(const std::string& given) {
  std::error_code error;
  std::string text = given;
  if (given == "-" || std::filesystem::exists(given, error)) {
    auto file = read_text_file(given, longest_revocation_list);
    if (!file) return fail_with(ExitCode::usage, fmt::format("The token's file {}.", file.error().message));
    text = *std::move(file);
  } else if (given.find('.') == std::string::npos) {
    return fail_with(ExitCode::usage, "This is neither a file nor a token.");
  }
  constexpr std::string_view kSpace = " \t\r\n";
  text.erase(std::min(text.find_last_not_of(kSpace) + 1, text.size()));
  text.erase(0, text.find_first_not_of(kSpace));
  return text;
}

Outcome<Trust> read_trust(const InspectOptions& options, Instant now) {
  Trust trust;
  if (!options.public_key) return trust;
  const auto text = read_text_file(*options.public_key, kLongestKeyFile);
  if (!text) return fail_with(ExitCode::key, fmt::format("--public-key: the file {}.", text.error().message));
  auto ring = read_license_keys(*text, LicenseTrust::environment);
  if (!ring) return fail_with(ExitCode::key, fmt::format("--public-key: {}", ring.error().message));
  if (ring->empty()) return fail_with(ExitCode::key, "--public-key: the file holds no key.");
  trust.ring = *std::move(ring);
  if (!options.revocations) return trust;
  const auto list = read_text_file(*options.revocations, longest_revocation_list);
  if (!list) return fail_with(ExitCode::usage, fmt::format("--revocations: the file {}.", list.error().message));
  auto verdict = validate_revocations(*list, trust.ring, now);
  if (!verdict) return fail_with(ExitCode::mismatch, fmt::format("--revocations: {}", verdict.error().message));
  trust.revocations = *std::move(verdict);
  return trust;
}

/// What the token says of itself.
Finding look_at(std::string_view token) {
  Finding finding;
  const auto parts = split_token(token);
  if (!parts) {
    finding.rejection = parts.error();
    return finding;
  }
  finding.form = parts->jwt_header ? "jwt" : "token";
  finding.payload = parts->payload;
  if (auto list = read_unverified_revocations(parts->payload)) {
    finding.revocations = *std::move(list);
  } else if (auto license = read_unverified_license(parts->payload)) {
    finding.license = *std::move(license);
  } else {
    finding.rejection = license.error();
  }
  return finding;
}

void verify(std::string_view token, const Trust& trust, const std::optional<std::string>& tenant, Instant now,
            Finding& into) {
  if (into.revocations) {
    const auto verdict = validate_revocations(token, trust.ring, now);
    if (!verdict) into.rejection = verdict.error();
  } else {
    const auto own = into.license ? into.license->tenant_id : std::string();
    const auto verdict = validate_license(token, trust.ring, trust.revocations, tenant.value_or(own), now);
    if (!verdict) into.rejection = verdict.error();
    into.standing = standing_of(verdict, now);
  }
  into.verified = !into.rejection;
}

std::string json_of(const Finding& finding, bool with_key) {
  JsonWriter json;
  json.begin_object().key("form").text(finding.form);
  if (finding.license) json.key("license").raw(canonical_payload(*finding.license));
  if (finding.revocations) json.key("revocations").raw(canonical_payload(*finding.revocations));
  if (finding.rejection) {
    json.key("message").text(finding.rejection->message).key("reason").text(name_of(finding.rejection->reason));
  }
  if (finding.standing) json.key("state").text(name_of(finding.standing->state));
  json.key("verified");
  if (with_key) {
    json.boolean(finding.verified);
  } else {
    json.raw("null");
  }
  return json.end_object().take() + '\n';
}

std::string text_of(const Finding& finding, bool with_key) {
  auto text = fmt::format("{:<16} {}\n", "form", finding.form == "jwt" ? "JWT" : "two parts");
  if (finding.license) {
    text += lines_of(*finding.license);
  } else if (finding.revocations) {
    text += fmt::format("{:<16} {}\n{:<16} {}\n", "sequence", finding.revocations->sequence, "issuedAt",
                        seconds_of(finding.revocations->issued_at));
    for (const auto& id : finding.revocations->license_ids) text += fmt::format("{:<16} {}\n", "revoked", id);
  } else if (!finding.payload.empty()) {
    text += fmt::format("{:<16} {}\n", "payload", printable(finding.payload));
  }
  if (finding.rejection) return text;
  if (!with_key) return text + fmt::format("{:<16} not verified: say --public-key\n", "signature");
  text += fmt::format("{:<16} verified\n", "signature");
  if (finding.standing) text += fmt::format("{:<16} {}\n", "state", name_of(finding.standing->state));
  return text;
}

}  // namespace

Outcome<void> inspect(const InspectOptions& options, const Surroundings& surroundings) {
  const auto token = read_token(options.token);
  if (!token) return std::unexpected(token.error());
  const auto trust = read_trust(options, surroundings.now());
  if (!trust) return std::unexpected(trust.error());
  const bool with_key = !trust->ring.empty();
  auto finding = look_at(*token);
  if (with_key) verify(*token, *trust, options.tenant, surroundings.now(), finding);
  const auto printed = surroundings.print(options.json ? json_of(finding, with_key) : text_of(finding, with_key));
  if (!printed) return fail_with(ExitCode::output, fmt::format("The output {}.", printed.error().message));
  if (!finding.rejection) return {};
  return fail_with(ExitCode::mismatch,
                   fmt::format("{}: {}", name_of(finding.rejection->reason), printable(finding.rejection->message)));
}

}  // namespace cameleer::license_minter
