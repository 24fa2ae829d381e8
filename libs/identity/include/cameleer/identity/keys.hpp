#pragma once
#include <cameleer/core/error.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace cameleer::identity {

/// 32 secret bytes that all other keys derive from.
class MasterKey {
 public:
  /// Base64 of exactly 32 bytes; white space at the ends is ignored. The error never repeats the text.
  static Expected<MasterKey> parse(std::string_view base64);
  static MasterKey from_bytes(std::string_view thirty_two_bytes);  ///< another length throws
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] std::string to_base64() const;

 private:
  explicit MasterKey(std::string bytes) : bytes_(std::move(bytes)) {}
  std::string bytes_;
};

/// A derived 32-byte key and the name that tokens and envelopes carry, so that a rotated root finds the right one.
struct DerivedKey {
  std::string id;  ///< 16 hexadecimal characters, public
  std::string bytes;
};

/// What a server derives from its root with HKDF-SHA256 (RFC 5869, no salt, label as info). Immutable; any thread.
class Keys {
 public:
  /// `previous` still verifies tokens and reads secrets while the root is being rotated; nothing new is made with it.
  explicit Keys(const MasterKey& current, const std::optional<MasterKey>& previous = std::nullopt);

  [[nodiscard]] const DerivedKey& jwt() const { return jwt_; }
  [[nodiscard]] const DerivedKey& secrets() const { return secrets_; }
  [[nodiscard]] const DerivedKey& artifact_urls() const { return artifact_urls_; }
  [[nodiscard]] const DerivedKey& cursors() const { return cursors_; }
  /// The key of that id, of the current or the previous root; null when neither has it.
  [[nodiscard]] const DerivedKey* jwt_by_id(std::string_view id) const;
  [[nodiscard]] const DerivedKey* secrets_by_id(std::string_view id) const;
  /// Id of the previous root's key of secrets; nothing: there is no previous root.
  [[nodiscard]] std::optional<std::string> previous_secrets_id() const;

  /// Seed of the Ed25519 key that signs commands to agents.
  [[nodiscard]] const DerivedKey& command_signing() const { return command_signing_; }
  /// Its public half as agents get it: SubjectPublicKeyInfo, base64.
  [[nodiscard]] const std::string& command_public_key() const { return command_public_key_; }

  /// Kept in the database, so that a start with another root fails by name instead of with broken tokens. Tells
  /// nothing about the root.
  [[nodiscard]] const std::string& check_value() const { return check_value_; }
  [[nodiscard]] const std::optional<std::string>& previous_check_value() const { return previous_check_value_; }

 private:
  DerivedKey jwt_, secrets_, artifact_urls_, cursors_, command_signing_;
  std::optional<DerivedKey> previous_jwt_, previous_secrets_;
  std::string command_public_key_, check_value_;
  std::optional<std::string> previous_check_value_;
};

/// HKDF-SHA256 with an empty salt: `length` bytes for `label`.
std::string hkdf_sha256(std::string_view key, std::string_view label, std::size_t length);

}  // namespace cameleer::identity
