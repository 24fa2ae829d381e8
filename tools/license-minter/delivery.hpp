#pragma once
#include "license-minter/commands.hpp"

namespace cameleer::license_minter {

/// What was signed, in words.
struct Product {
  std::string_view name;  ///< `license` or `revocations`: its member in the JSON report
  std::string payload;    ///< its JSON
  std::string format;     ///< `token` or `jwt`
  std::string sentence;   ///< "Licence … for …"
};

/// Whether a token verifies: nothing, or why not.
using Verify = std::function<std::optional<std::string>(std::string_view token, const LicenseKeyRing& ring)>;

/// Ends minting and revoking: writes the token to --output or prints it, with --verify only when it verifies (of a
/// file, what the file holds). When keys or signature do not match, no file is left at --output.
Outcome<void> deliver(const Expected<std::string>& token, const Product& product, const SigningOptions& options,
                      const Signing& signing, const Verify& verify, const Surroundings& surroundings);

}  // namespace cameleer::license_minter
