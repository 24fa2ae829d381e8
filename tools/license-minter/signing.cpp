#include "license-minter/signing.hpp"

#include "license-minter/file_access.hpp"

namespace cameleer::license_minter {
namespace {

constexpr std::size_t kLongestKeyFile = 64 * 1024;

Outcome<LicenseKey> read_public_key(const std::string& path) {
  const auto text = read_text_file(path, kLongestKeyFile);
  if (!text) return fail_with(ExitCode::key, fmt::format("--public-key: the file {}.", text.error().message));
  auto key = read_license_key(*text);
  if (!key) return fail_with(ExitCode::key, fmt::format("--public-key: {}", key.error().message));
  return *std::move(key);
}

Outcome<std::unique_ptr<minting::Signer>> read_private_key(const std::string& path, const Warn& warn) {
  const auto file = read_secret_file(path);
  if (!file) return fail_with(ExitCode::key, fmt::format("--private-key: the file {}.", file.error().message));
  if (file->readable_by_others)
    warn("--private-key: others than its owner have permissions on the file; chmod 600 it.");
  auto signer = minting::PrivateKeySigner::read(file->content);
  if (!signer) return fail_with(ExitCode::key, fmt::format("--private-key: {}", signer.error().message));
  return *std::move(signer);
}

}  // namespace

Outcome<void> check(const SigningOptions& options) {
  if (!options.private_key && !options.sign_command) {
    return fail_with(ExitCode::usage, "--private-key or --sign-command is missing.");
  }
  if (options.private_key && options.sign_command) {
    return fail_with(ExitCode::usage, "--private-key and --sign-command exclude each other.");
  }
  if (options.verify && !options.public_key) return fail_with(ExitCode::usage, "--verify needs --public-key.");
  return {};
}

Outcome<Signing> open_signing(const SigningOptions& options, const Warn& warn) {
  Signing signing;
  if (options.public_key) {
    auto key = read_public_key(*options.public_key);
    if (!key) return std::unexpected(key.error());
    signing.public_key = *key;
  }
  if (options.sign_command) {
    signing.signer = std::make_unique<minting::CommandSigner>(*options.sign_command, signing.public_key);
    return signing;
  }
  auto signer = read_private_key(*options.private_key, warn);
  if (!signer) return std::unexpected(signer.error());
  signing.signer = *std::move(signer);
  if (signing.public_key && signing.signer->public_key()->bytes != signing.public_key->bytes) {
    if (options.output) remove_file(*options.output);
    return fail_with(ExitCode::mismatch, "--public-key is not the public half of --private-key.");
  }
  return signing;
}

}  // namespace cameleer::license_minter
