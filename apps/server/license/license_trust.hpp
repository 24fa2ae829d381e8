#pragma once
#include <cameleer/core/license_keys.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace cameleer::server {

/// Where the keys of the vendor come from.
struct LicenseKeySources {
  std::string_view embedded = embedded_license_keys();  ///< what the build carries; empty: none
  std::string public_key;                               ///< `cameleer.server.license.publickey`: one key
  std::string public_keys;  ///< `cameleer.server.license.publickeys`: a list, or the absolute path of a file with one
};

/// The keys that licences are verified with, and what an operator should know about them.
struct LicenseTrustRoot {
  LicenseKeyRing keys;
  std::vector<std::string> warnings;  ///< sentences, for the log
};

/// Keys of the build are the only ones that can count; the environment can narrow them. Without any in the build the
/// environment's count: whoever sets the environment can then also mint, and `keys.trust()` says so. A list that
/// cannot be read is `bad_configuration` with the setting's name. Reads the file of `public_keys`.
Expected<LicenseTrustRoot> license_trust_root(const LicenseKeySources& sources);

}  // namespace cameleer::server
