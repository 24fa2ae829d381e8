#pragma once
#include <cameleer/clickhouse/block.hpp>
#include <cameleer/core/instant.hpp>

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
  RowWriter& time(Instant value) { return block_.append_int(column_++, milliseconds_of(value)), *this; }

 private:
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
