#include <fmt/format.h>

#include <algorithm>
#include <cameleer/core/base64.hpp>
#include <cameleer/core/license.hpp>
#include <cameleer/core/license_keys.hpp>

#include "ed25519_key.hpp"
#include "license_reader.hpp"

namespace cameleer {
namespace {

namespace dom = simdjson::dom;
using license_json::trimmed;

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kPemBegin = "-----BEGIN PUBLIC KEY-----";
constexpr std::string_view kPemEnd = "-----END PUBLIC KEY-----";
// SubjectPublicKeyInfo of Ed25519 (RFC 8410) is these bytes and the key.
constexpr std::string_view kSpkiPrefix("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 12);
constexpr std::size_t kKeySize = 32;
constexpr std::size_t kLongestList = 64u * 1024;

std::unexpected<Error> refuse(std::string_view rule) {
  return fail(ErrorCode::bad_configuration, fmt::format("The licence key {}.", rule));
}

std::optional<std::string> decode_pem(std::string_view text) {
  if (!text.starts_with(kPemBegin) || !text.ends_with(kPemEnd)) return std::nullopt;
  if (text.size() < kPemBegin.size() + kPemEnd.size()) return std::nullopt;
  std::string base64(text.substr(kPemBegin.size(), text.size() - kPemBegin.size() - kPemEnd.size()));
  std::erase_if(base64, [](char c) { return kSpace.contains(c); });
  return decode_base64(base64);
}

std::optional<Instant> read_bound(dom::object entry, std::string_view member, bool& wrong) {
  dom::element value;
  if (entry.at_key(member).get(value) != simdjson::SUCCESS) return std::nullopt;
  auto instant = license_json::read_instant(value);
  wrong = wrong || !instant;
  return instant;
}

Expected<LicenseKey> read_entry(dom::element element) {
  std::string_view text;
  dom::object entry;
  if (element.get(text) == simdjson::SUCCESS) return read_license_key(text);
  if (element.get(entry) != simdjson::SUCCESS) return refuse("must be a string or an object");
  if (entry.at_key("key").get(text) != simdjson::SUCCESS) return refuse("must have its base64 in the member key");
  auto key = read_license_key(text);
  if (!key) return key;
  bool wrong = false;
  key->valid_from = read_bound(entry, "validFrom", wrong);
  key->valid_until = read_bound(entry, "validUntil", wrong);
  if (wrong) return refuse("must have instants in UTC as validFrom and validUntil");
  if (key->valid_from && key->valid_until && *key->valid_until < *key->valid_from) {
    return refuse("must not end (validUntil) before it begins (validFrom)");
  }
  dom::element id;
  if (entry.at_key("keyId").get(id) != simdjson::SUCCESS) return key;
  if (id.get(text) != simdjson::SUCCESS) return refuse("must have a string as keyId");
  key->key_id = text;
  return key;
}

Expected<std::vector<LicenseKey>> collect(std::vector<Expected<LicenseKey>> read) {
  std::vector<LicenseKey> keys;
  for (std::size_t index = 0; index < read.size(); ++index) {
    if (!read[index]) {
      return fail(ErrorCode::bad_configuration,
                  fmt::format("Entry {} of the licence keys: {}", index + 1, read[index].error().message));
    }
    keys.push_back(std::move(*read[index]));
  }
  return keys;
}

Expected<std::vector<LicenseKey>> read_json_list(std::string_view text) {
  dom::parser parser;
  // The reader of licences takes an object; the list is wrapped into one rather than read by another set of rules.
  const auto wrapped = fmt::format("{{\"keys\":{}}}", text);
  const auto object = license_json::parse(parser, wrapped);
  dom::array array;
  if (!object || object->at_key("keys").get(array) != simdjson::SUCCESS || object->size() != 1) {
    return fail(ErrorCode::bad_configuration, "The licence keys are no valid JSON array.");
  }
  std::vector<Expected<LicenseKey>> read;
  for (const auto element : array) {
    if (read.size() > LicenseKeyRing::most_keys) break;
    read.push_back(read_entry(element));
  }
  return collect(std::move(read));
}

Expected<std::vector<LicenseKey>> read_pem_list(std::string_view text) {
  std::vector<Expected<LicenseKey>> read;
  for (text = trimmed(text); !text.empty() && read.size() <= LicenseKeyRing::most_keys;) {
    const auto end = text.find(kPemEnd);
    const auto size = end == std::string_view::npos ? text.size() : end + kPemEnd.size();
    read.push_back(read_license_key(text.substr(0, size)));
    text = trimmed(text.substr(size));
  }
  return collect(std::move(read));
}

Expected<LicenseKey> read_named(std::string_view text) {
  // Base64 has '=' at its end alone, a key id has none.
  const auto sign = text.find('=');
  if (sign == std::string_view::npos || text.find_first_not_of('=', sign) == std::string_view::npos) {
    return read_license_key(text);
  }
  auto key = read_license_key(text.substr(sign + 1));
  if (key) key->key_id = trimmed(text.substr(0, sign));
  return key;
}

Expected<std::vector<LicenseKey>> read_plain_list(std::string_view text) {
  std::vector<Expected<LicenseKey>> read;
  while (!text.empty() && read.size() <= LicenseKeyRing::most_keys) {
    const auto end = std::min(text.find_first_of(",\n"), text.size());
    const auto entry = trimmed(text.substr(0, end));
    if (!entry.empty()) read.push_back(read_named(entry));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return collect(std::move(read));
}

}  // namespace

Expected<LicenseKey> read_license_key(std::string_view text, bool* had_white_space) {
  const auto key_text = trimmed(text);
  if (had_white_space != nullptr) *had_white_space = key_text.size() != text.size();
  if (key_text.empty()) return refuse("is empty");
  if (key_text.size() > kLongestList) return refuse("is too long");
  const auto bytes = key_text.starts_with('-') ? decode_pem(key_text) : decode_base64(key_text);
  if (!bytes) return refuse("is neither base64 (RFC 4648 §4, padded) nor PEM of a public key");
  std::string_view raw = *bytes;
  if (raw.size() == kSpkiPrefix.size() + kKeySize && raw.starts_with(kSpkiPrefix)) {
    raw.remove_prefix(kSpkiPrefix.size());
  }
  if (raw.size() != kKeySize) return refuse("is no Ed25519 public key: neither its X.509 form nor its 32 bytes");
  LicenseKey key;
  std::ranges::copy(raw, key.bytes.begin());
  if (const auto fault = fault_of_ed25519_key(key.bytes); !fault.empty()) return refuse(fault);
  return key;
}

Expected<LicenseKeyRing> read_license_keys(std::string_view text, LicenseTrust trust) {
  if (text.size() > kLongestList) {
    return fail(ErrorCode::bad_configuration, fmt::format("The licence keys are longer than {} bytes.", kLongestList));
  }
  text = trimmed(text);
  auto keys = text.starts_with('[')      ? read_json_list(text)
              : text.contains(kPemBegin) ? read_pem_list(text)
                                         : read_plain_list(text);
  if (!keys) return std::unexpected(std::move(keys.error()));
  return LicenseKeyRing::of(std::move(*keys), trust);
}

std::string to_spki(const LicenseKey& key) {
  std::string bytes(kSpkiPrefix);
  for (const auto byte : key.bytes) bytes += static_cast<char>(byte);
  return base64(bytes);
}

}  // namespace cameleer
