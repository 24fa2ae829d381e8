#pragma once
#include <cameleer/core/instant.hpp>
#include <cameleer/identity/keys.hpp>
#include <cstdint>
#include <optional>
#include <string>

/// The chain over the audit log. Pure functions, any thread.
namespace cameleer::server {

/// A row as the chain covers it and as exports carry it: all of it texts.
struct AuditRow {
  std::string id;         ///< decimal
  std::string timestamp;  ///< `2026-11-22T01:02:03.456000Z`, UTC with microseconds
  std::string username;
  std::optional<std::string> user_id;
  std::string action, category, target, result;
  std::string detail;  ///< jsonb as PostgreSQL prints it
  std::optional<std::string> remote_address, request_id;
};

/// What comes before the first row: 32 zero bytes.
std::string audit_chain_start();

/// SHA-256 of the previous hash (32 bytes), `cameleer-audit-v1`, and the fields: position (decimal), id, timestamp,
/// username, userId, action, category, target, result, detail, remoteAddress, requestId. Each field is its length in
/// bytes (four bytes, big-endian) and its UTF-8; one that is missing is the length 0xffffffff alone.
std::string audit_hash(std::string_view previous, std::int64_t position, const AuditRow& row);

std::string hexadecimal(std::string_view bytes);
/// 64 lower-case hexadecimal characters, or nothing.
std::optional<std::string> hash_in(std::string_view text);

/// Ed25519 key of its own, derived from that of the commands with HKDF-SHA256 and the label `audit-signing/v1`.
struct AuditKey {
  std::string id;  ///< first 16 hexadecimal characters of the SHA-256 of the public key
  std::string seed;
  std::string public_key;  ///< SubjectPublicKeyInfo, base64
};
AuditKey audit_key_of(const identity::Keys& keys);

/// The end of the chain at a time, signed: whoever rewrites all rows and seals cannot rewrite this.
struct AuditHead {
  std::int64_t position = 0;
  std::string hash;  ///< 32 bytes
  Instant signed_at{};
  std::string key_id;
  std::string signature;  ///< base64url, of `cameleer-audit-head-v1.<position>.<hash in hexadecimal>.<signed at>`
};
AuditHead sign_head(const AuditKey& key, std::int64_t position, std::string hash, Instant now);
bool is_signed(const AuditHead& head, std::string_view public_key);

}  // namespace cameleer::server
