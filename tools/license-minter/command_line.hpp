#pragma once
#include <cameleer/minting/mint.hpp>
#include <optional>
#include <string>
#include <vector>

#include "license-minter/license_request.hpp"
#include "license-minter/signing.hpp"

namespace cameleer::license_minter {

enum class Mode : unsigned char { mint, keygen, inspect, revoke, print };

struct RevokeOptions {
  std::vector<std::string> license_ids;
  std::optional<std::string> sequence, previous;
};

struct KeygenOptions {
  std::optional<std::string> private_key, public_key;
  bool force = false;
  bool json = false;
};

struct InspectOptions {
  std::string token;  ///< the token itself, or a file that holds it; `-`: stdin
  std::optional<std::string> public_key, tenant, revocations;
  bool json = false;
};

struct CommandLine {
  Mode mode = Mode::mint;
  std::string text;  ///< print: help
  LicenseRequest license;
  minting::TokenFormat format = minting::TokenFormat::token;
  SigningOptions signing;  ///< mint and revoke
  RevokeOptions revocations;
  KeygenOptions keygen;
  InspectOptions inspection;
};

/// Reads the arguments, without the program's name. `--flag=value` and `--flag value` are the same. The error is about
/// usage and never repeats a value.
Outcome<CommandLine> parse_command_line(std::vector<std::string> arguments);

}  // namespace cameleer::license_minter
