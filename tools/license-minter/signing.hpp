#pragma once
#include <cameleer/core/license_keys.hpp>
#include <cameleer/minting/signer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "license-minter/outcome.hpp"

namespace cameleer::license_minter {

/// The flags that minting and revoking share.
struct SigningOptions {
  std::optional<std::string> private_key, sign_command, public_key, output;
  bool verify = false;
  bool json = false;
};

/// Where a warning goes: a sentence without a line break.
using Warn = std::function<void(std::string_view)>;

/// What is wrong with these flags among each other.
Outcome<void> check(const SigningOptions& options);

struct Signing {
  std::unique_ptr<minting::Signer> signer;
  std::optional<LicenseKey> public_key;  ///< what --public-key holds
};

/// Reads the keys. A key pair that does not match is refused before anything is signed.
Outcome<Signing> open_signing(const SigningOptions& options, const Warn& warn);

}  // namespace cameleer::license_minter
