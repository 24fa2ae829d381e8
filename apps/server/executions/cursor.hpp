#pragma once
#include <cameleer/core/error.hpp>
#include <cameleer/core/instant.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace cameleer::server {

/// Where a search goes on, and what its first page fixed.
struct Cursor {
  Instant now, as_of, from, to;
  Instant last_start;  ///< key of the last row given
  std::string last_execution_id;
  std::uint64_t total = 0;
  bool total_is_lower_bound = false;
  friend bool operator==(const Cursor&, const Cursor&) = default;
};

/// Text of a cursor, good only for the same `scope` (tenant, environment and filter) and key: HMAC-SHA256 over both.
std::string seal_cursor(const Cursor& cursor, std::string_view scope, std::span<const std::byte> key);

/// The cursor again; a tampered one, one of another scope or key, or anything else is `invalid_parameter`, member
/// `cursor`.
Expected<Cursor> open_cursor(std::string_view text, std::string_view scope, std::span<const std::byte> key);

}  // namespace cameleer::server
