#include "block_output.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace cameleer::engine {
namespace {

constexpr std::string_view with_names = "RowBinaryWithNames";
constexpr std::string_view with_names_and_types = "RowBinaryWithNamesAndTypes";

bool read_varint(std::string_view bytes, std::size_t& at, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 63 && at < bytes.size(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes[at++]);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

}  // namespace

bool blocks_join(std::string_view format) {
  static constexpr std::array joined{std::string_view("Native"),
                                     std::string_view("RowBinary"),
                                     with_names,
                                     with_names_and_types,
                                     std::string_view("TabSeparated"),
                                     std::string_view("TSV"),
                                     std::string_view("TabSeparatedRaw"),
                                     std::string_view("TSVRaw"),
                                     std::string_view("CSV"),
                                     std::string_view("JSONEachRow"),
                                     std::string_view("JSONCompactEachRow"),
                                     std::string_view("JSONLines"),
                                     std::string_view("NDJSON"),
                                     std::string_view("LineAsString"),
                                     std::string_view("RawBLOB"),
                                     std::string_view("Null")};
  return std::ranges::find(joined, format) != joined.end();
}

std::size_t repeated_head(std::string_view format, std::string_view block) {
  if (format != with_names && format != with_names_and_types) return 0;
  std::size_t at = 0;
  std::uint64_t columns = 0;
  if (!read_varint(block, at, columns)) return 0;
  const std::uint64_t texts = format == with_names ? columns : 2 * columns;
  for (std::uint64_t i = 0; i < texts; ++i) {
    std::uint64_t size = 0;
    if (!read_varint(block, at, size) || size > block.size() - at) return 0;
    at += static_cast<std::size_t>(size);
  }
  return at;
}

}  // namespace cameleer::engine
