#include "server/ingest/row_identity.hpp"

#include <xxhash.h>

#include <algorithm>
#include <cameleer/identity/encoding.hpp>

namespace cameleer::server {
namespace {

void append_number(std::string& bytes, std::uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) bytes += static_cast<char>(value >> shift);
}

// With its length first, so that no two lists of texts give the same bytes.
void append_text(std::string& bytes, std::string_view text) {
  append_number(bytes, text.size());
  bytes += text;
}

}  // namespace

std::uint64_t row_version(std::uint32_t rank, Instant arrived) {
  // Quarter seconds since 2020, counted down: good until 2054.
  constexpr std::int64_t year_2020 = 1'577'836'800'000;
  const auto ticks = std::max<std::int64_t>(0, milliseconds_of(arrived) - year_2020) >> 8;
  const auto age = 0xFFFF'FFFFu - static_cast<std::uint32_t>(std::min<std::int64_t>(ticks, 0xFFFF'FFFF));
  return std::uint64_t{rank} << 32 | age;
}

RowIds::RowIds(std::string_view agent_id, std::string_view idempotency_key, std::string_view body) {
  append_text(request_, agent_id);
  append_text(request_, idempotency_key.empty() ? "body" : "key");
  if (idempotency_key.empty())
    append_text(request_, identity::sha256(body));
  else
    append_text(request_, idempotency_key);
}

std::string RowIds::of(std::size_t index) const {
  auto bytes = request_;
  append_number(bytes, index);
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  return {reinterpret_cast<const char*>(canonical.digest), sizeof canonical.digest};
}

}  // namespace cameleer::server
