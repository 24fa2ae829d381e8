#include "server/audit/audit_seal.hpp"

#include <fmt/format.h>

#include <cameleer/identity/encoding.hpp>
#include <cameleer/identity/signature.hpp>

namespace cameleer::server {
namespace {

constexpr std::size_t kHashBytes = 32;

void put_length(std::string& bytes, std::uint32_t length) {
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>((length >> shift) & 0xFF);
}

void put(std::string& bytes, std::string_view field) {
  put_length(bytes, static_cast<std::uint32_t>(field.size()));
  bytes += field;
}

void put_optional(std::string& bytes, const std::optional<std::string>& field) {
  if (field)
    put(bytes, *field);
  else
    put_length(bytes, 0xFFFF'FFFF);
}

std::string text_of(const AuditHead& head) {
  return fmt::format("cameleer-audit-head-v1.{}.{}.{}", head.position, hexadecimal(head.hash),
                     format_instant(head.signed_at));
}

}  // namespace

std::string audit_chain_start() {
  return std::string(kHashBytes, '\0');
}

std::string audit_hash(std::string_view previous, std::int64_t position, const AuditRow& row) {
  std::string bytes(previous);
  bytes += "cameleer-audit-v1";
  put(bytes, std::to_string(position));
  for (const auto* field : {&row.id, &row.timestamp, &row.username}) put(bytes, *field);
  put_optional(bytes, row.user_id);
  for (const auto* field : {&row.action, &row.category, &row.target, &row.result, &row.detail}) {
    put(bytes, *field);
  }
  put_optional(bytes, row.remote_address);
  put_optional(bytes, row.request_id);
  return identity::sha256(bytes);
}

std::string hexadecimal(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

std::optional<std::string> hash_in(std::string_view text) {
  if (text.size() != kHashBytes * 2) return std::nullopt;
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit(text[i]), low = digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

AuditKey audit_key_of(const identity::Keys& keys) {
  AuditKey key;
  key.seed = identity::hkdf_sha256(keys.command_signing().bytes, "audit-signing/v1", 32);
  key.public_key = identity::public_key_of(key.seed);
  key.id = identity::sha256_hex(key.public_key).substr(0, 16);
  return key;
}

AuditHead sign_head(const AuditKey& key, std::int64_t position, std::string hash, Instant now) {
  AuditHead head{.position = position, .hash = std::move(hash), .signed_at = now, .key_id = key.id, .signature = {}};
  head.signature = identity::sign_text(key.seed, text_of(head));
  return head;
}

bool is_signed(const AuditHead& head, std::string_view public_key) {
  return identity::signed_by(public_key, text_of(head), head.signature);
}

}  // namespace cameleer::server
