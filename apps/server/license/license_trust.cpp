#include "server/license/license_trust.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "server/license/license_file.hpp"

namespace cameleer::server {
namespace {

constexpr const char* kOne = "cameleer.server.license.publickey";
constexpr const char* kList = "cameleer.server.license.publickeys";

std::unexpected<Error> refuse(const char* setting, const Error& error) {
  return fail(ErrorCode::bad_configuration, error.message, setting);
}

Expected<std::string> text_of_list(const std::string& given) {
  if (!given.starts_with('/')) return given;
  const auto file = read_license_file(given);
  if (!file.present) return fail(ErrorCode::bad_configuration, fmt::format("there is no file {}", given), kList);
  if (file.problem) return fail(ErrorCode::bad_configuration, fmt::format("{}: {}", given, *file.problem), kList);
  return file.text;
}

/// Both settings together.
Expected<LicenseKeyRing> given_keys(const LicenseKeySources& sources, std::vector<std::string>& warnings) {
  std::vector<LicenseKey> keys;
  if (!sources.public_keys.empty()) {
    auto text = text_of_list(sources.public_keys);
    if (!text) return std::unexpected(text.error());
    auto ring = read_license_keys(*text, LicenseTrust::environment);
    if (!ring) return refuse(kList, ring.error());
    keys = ring->keys();
  }
  if (!sources.public_key.empty()) {
    bool had_white_space = false;
    auto key = read_license_key(sources.public_key, &had_white_space);
    if (!key) return refuse(kOne, key.error());
    if (had_white_space) warnings.push_back(fmt::format("{} has white space around the key, which is ignored.", kOne));
    const auto same = [&](const LicenseKey& one) { return one.bytes == key->bytes; };
    if (std::ranges::none_of(keys, same)) keys.push_back(std::move(*key));
  }
  const auto trust = keys.empty() ? LicenseTrust::none : LicenseTrust::environment;
  auto ring = LicenseKeyRing::of(std::move(keys), trust);
  if (!ring) return refuse(kList, ring.error());
  return ring;
}

}  // namespace

Expected<LicenseTrustRoot> license_trust_root(const LicenseKeySources& sources) {
  LicenseTrustRoot root;
  auto given = given_keys(sources, root.warnings);
  if (!given) return std::unexpected(given.error());
  if (sources.embedded.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    root.keys = std::move(*given);
    if (!root.keys.empty()) {
      root.warnings.emplace_back(
          "The licence keys come from the environment: whoever sets it can also make licences. A build of the vendor "
          "carries them.");
    }
    return root;
  }
  auto embedded = read_license_keys(sources.embedded, LicenseTrust::embedded);
  if (!embedded) return fail(ErrorCode::bad_configuration, embedded.error().message, "CAMELEER_LICENSE_KEYS");
  root.keys = given->empty() ? std::move(*embedded) : embedded->narrowed_to(*given);
  if (root.keys.empty()) {
    root.warnings.push_back(fmt::format(
        "No key of {} or {} is one that this build carries: every licence is invalid. Both can only narrow them.", kOne,
        kList));
  }
  return root;
}

}  // namespace cameleer::server
