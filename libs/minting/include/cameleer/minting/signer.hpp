#pragma once
#include <array>
#include <cameleer/core/error.hpp>
#include <cameleer/core/license_keys.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "cameleer/minting/secret_bytes.hpp"

namespace cameleer::minting {

using Signature = std::array<unsigned char, 64>;

/// Who holds the vendor's private key. To sign with a KMS through its own library, write one of these.
class Signer {
 public:
  Signer() = default;
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;
  virtual ~Signer() = default;

  /// Pure Ed25519 (RFC 8032) over exactly these bytes. Errors: upstream_error, upstream_timeout.
  virtual Expected<Signature> sign(std::span<const unsigned char> payload) = 0;
  /// The public half, when the signer knows it: what it signs is then verified before anyone gets it.
  [[nodiscard]] virtual std::optional<LicenseKey> public_key() const = 0;
};

/// Signs with a key in memory, which is wiped with the signer.
class PrivateKeySigner final : public Signer {
 public:
  /// `key`: PKCS#8 of an Ed25519 key, as PEM (unencrypted) or as bare base64. White space around it and line breaks
  /// are tolerated. bad_configuration says which rule is broken and never repeats the text.
  static Expected<std::unique_ptr<PrivateKeySigner>> read(const SecretBytes& key);

  Expected<Signature> sign(std::span<const unsigned char> payload) override;
  [[nodiscard]] std::optional<LicenseKey> public_key() const override { return public_key_; }

 private:
  explicit PrivateKeySigner(SecretBytes seed);
  SecretBytes seed_;
  LicenseKey public_key_;
};

/// Lets a command sign: a client of a KMS, of Vault's transit engine, of a PKCS#11 token. `/bin/sh -c command` gets the
/// payload on stdin (a file, so that it may be read twice) and answers with the 64 raw bytes of the signature on stdout
/// and status 0. Its stderr is ours. upstream_error: another status, or not 64 bytes; upstream_timeout: not done
/// within `patience`, after which the command is killed.
class CommandSigner final : public Signer {
 public:
  explicit CommandSigner(std::string command, std::optional<LicenseKey> public_key = {},
                         std::chrono::milliseconds patience = std::chrono::seconds(60))
      : command_(std::move(command)), public_key_(std::move(public_key)), patience_(patience) {}

  Expected<Signature> sign(std::span<const unsigned char> payload) override;
  [[nodiscard]] std::optional<LicenseKey> public_key() const override { return public_key_; }

 private:
  std::string command_;
  std::optional<LicenseKey> public_key_;
  std::chrono::milliseconds patience_;
};

}  // namespace cameleer::minting
