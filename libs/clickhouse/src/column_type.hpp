#pragma once
#include <cameleer/core/error.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace cameleer::clickhouse {

/// A type as RowBinaryWithNamesAndTypes names it, for the types that rows can be read from.
struct ColumnType {
  enum class Kind : std::uint8_t {
    unsigned_integer,  ///< width bytes; UInt128 and UInt256 can be skipped only
    signed_integer,    ///< also DateTime64, Time64, Decimal: ticks
    floating,
    boolean,
    date_time,  ///< UInt32 seconds
    date,       ///< UInt16 days
    text,
    fixed_text,
    uuid,
    enumeration,
    nullable,
    array,
    map,
    tuple,
    nothing,
  } kind;
  std::size_t width = 0;  ///< bytes of a value of fixed size
  std::vector<ColumnType> children = {};
  std::vector<std::pair<std::int16_t, std::string>> names = {};  ///< of an enumeration
};

Expected<ColumnType> parse_column_type(std::string_view text);

}  // namespace cameleer::clickhouse
