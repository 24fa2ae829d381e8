#include "server/executions/cursor.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cameleer/identity/encoding.hpp>
#include <charconv>
#include <optional>
#include <stdexcept>

namespace cameleer::server {
namespace {

constexpr std::size_t kMacBytes = 32;
constexpr std::size_t kMaxText = 2048;

std::array<unsigned char, kMacBytes> mac_of(std::string_view payload, std::string_view scope,
                                            std::span<const std::byte> key) {
  const auto message = fmt::format("cursor/v1:{}:{}{}", scope.size(), scope, payload);
  std::array<unsigned char, kMacBytes> mac{};
  unsigned length = 0;
  if (!HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
            reinterpret_cast<const unsigned char*>(message.data()), message.size(), mac.data(), &length)) {
    throw std::runtime_error("HMAC-SHA256 is not available");
  }
  return mac;
}

// `now|asOf|from|to|start|total|bound|id`: numbers in decimal, the id last, so that it may hold anything.
std::string payload_of(const Cursor& c) {
  return fmt::format("{}|{}|{}|{}|{}|{}|{}|{}", milliseconds_of(c.now), milliseconds_of(c.as_of),
                     milliseconds_of(c.from), milliseconds_of(c.to), milliseconds_of(c.last_start), c.total,
                     c.total_is_lower_bound ? 1 : 0, c.last_execution_id);
}

std::optional<Cursor> read_payload(std::string_view text) {
  std::array<std::int64_t, 7> numbers{};
  for (auto& number : numbers) {
    const auto bar = text.find('|');
    if (bar == std::string_view::npos) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + bar, number);
    if (error != std::errc() || end != text.data() + bar) return std::nullopt;
    text.remove_prefix(bar + 1);
  }
  return Cursor{instant_of(numbers[0]),
                instant_of(numbers[1]),
                instant_of(numbers[2]),
                instant_of(numbers[3]),
                instant_of(numbers[4]),
                std::string(text),
                static_cast<std::uint64_t>(numbers[5]),
                numbers[6] != 0};
}

}  // namespace

std::string seal_cursor(const Cursor& cursor, std::string_view scope, std::span<const std::byte> key) {
  const auto payload = payload_of(cursor);
  const auto mac = mac_of(payload, scope, key);
  std::string bytes(reinterpret_cast<const char*>(mac.data()), mac.size());
  return identity::base64url(bytes + payload);
}

Expected<Cursor> open_cursor(std::string_view text, std::string_view scope, std::span<const std::byte> key) {
  const auto refused = [] {
    return fail(ErrorCode::invalid_parameter,
                "Parameter `cursor` is not one that this search gave; repeat the search without it.", "cursor");
  };
  if (text.size() > kMaxText) return refused();
  const auto bytes = identity::decode_base64url(text);
  if (!bytes || bytes->size() < kMacBytes) return refused();
  const auto payload = std::string_view(*bytes).substr(kMacBytes);
  const auto mac = mac_of(payload, scope, key);
  if (CRYPTO_memcmp(mac.data(), bytes->data(), kMacBytes) != 0) return refused();
  auto cursor = read_payload(payload);
  if (!cursor) return refused();
  return *std::move(cursor);
}

}  // namespace cameleer::server
