#pragma once
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "chdb_api.hpp"

namespace cameleer::engine {

/// Undoes a request's Content-Encoding as its bytes arrive.
class BodyDecoder {
 public:
  virtual ~BodyDecoder() = default;
  /// Appends what `bytes` decode to, at most about a megabyte at a time: call again with the empty view while `more`.
  virtual Result<void> decode(std::string_view bytes, std::string& out) = 0;
  /// The last call left decoded bytes behind for want of room.
  [[nodiscard]] virtual bool more() const = 0;
  /// Error when the encoded data stops in its middle.
  virtual Result<void> finish() = 0;

  /// For `gzip`, `deflate`, `zstd`, `identity` or nothing; any other name is an error.
  static Result<std::unique_ptr<BodyDecoder>> for_encoding(std::string_view name);
};

}  // namespace cameleer::engine
