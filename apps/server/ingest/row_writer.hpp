#pragma once
#include <cameleer/clickhouse/block.hpp>
#include <cameleer/core/execution.hpp>
#include <optional>

#include "server/ingest/batch_writer.hpp"

namespace cameleer::server {

using Column = clickhouse::Block::Column;

/// Types of the columns that tables share.
inline constexpr const char* kText = "String";
inline constexpr const char* kName = "LowCardinality(String)";
inline constexpr const char* kTime = "DateTime64(3)";
inline constexpr const char* kMap = "Map(LowCardinality(String), String)";
inline constexpr const char* kNames = "Array(LowCardinality(String))";

/// Appends cells of one row from left to right.
class RowWriter {
 public:
  explicit RowWriter(clickhouse::Block& block) : block_(block) {}
  RowWriter& text(std::string_view value) { return block_.append(column_++, value), *this; }
  RowWriter& integer(std::int64_t value) { return block_.append_int(column_++, value), *this; }
  RowWriter& natural(std::uint64_t value) { return block_.append_uint(column_++, value), *this; }
  RowWriter& number(double value) { return block_.append_double(column_++, value), *this; }
  RowWriter& time(Instant value) { return integer(milliseconds_of(value)); }
  RowWriter& map(const StringMap& value) { return block_.append_map(column_++, value), *this; }
  RowWriter& names(const std::vector<std::string>& value) { return block_.append_array(column_++, value), *this; }
  template <class Number>
  RowWriter& optional(const std::optional<Number>& value) {
    return integer(value ? static_cast<std::int64_t>(*value) : -1);
  }
  RowWriter& message(const Message& value) {
    body(value.input_body).map(value.input_headers);
    return body(value.output_body).map(value.output_headers);
  }

 private:
  RowWriter& body(const std::optional<Body>& value) {
    return text(value ? std::string_view(value->text) : std::string_view())
        .integer(value ? static_cast<std::int64_t>(value->size) : -1);
  }

  clickhouse::Block& block_;
  std::size_t column_ = 0;
};

inline clickhouse::Block block_of(std::span<const Column> columns) {
  return clickhouse::Block({columns.begin(), columns.end()});
}

/// The rows of a block as a part of a request.
inline TablePart part_of(std::string_view table, std::span<const Column> columns, const clickhouse::Block& block) {
  return {.table = table, .columns = columns, .body = block.encode_native(), .rows = block.rows()};
}

}  // namespace cameleer::server
