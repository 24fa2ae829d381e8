#pragma once
#include <cameleer/core/error.hpp>
#include <string>
#include <string_view>

namespace cameleer::sim {

/// `identity`, `gzip` or `zstd`, as Content-Encoding names them.
enum class Coding : std::uint8_t { identity, gzip, zstd };
Expected<Coding> coding_of(std::string_view name);
std::string_view name_of(Coding coding);

/// The body in that coding, at the quickest level.
std::string encode(std::string body, Coding coding);

}  // namespace cameleer::sim
