#pragma once
#include <string>
#include <string_view>

#include "refusal.hpp"

namespace cameleer::web {

enum class ContentCoding { identity, gzip, zstd };

/// The value of Content-Encoding; one coding at most (415 otherwise).
Checked<ContentCoding> parse_content_coding(std::string_view value);

/// simdjson reads this many bytes behind the text.
inline constexpr std::size_t kPadding = 64;

/// Undoes a content coding. Stops at `limit` decoded bytes (413), whatever the body claims. Exactly one gzip member or
/// zstd frame is accepted; anything behind it is `malformed_body`. The result has kPadding bytes of spare capacity.
/// Pure and thread-safe.
Checked<std::string> decode_content(std::string_view body, ContentCoding coding, std::size_t limit);

}  // namespace cameleer::web
