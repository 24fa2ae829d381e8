#pragma once
#include <cameleer/clickhouse/client.hpp>
#include <deque>

#include "column_type.hpp"

namespace cameleer::clickhouse {

/// What comes next in RowBinary bytes; `missing` tells how many bytes at least are not there yet.
struct ByteCursor {
  const char* at;
  const char* end;
  std::size_t missing = 0;

  [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(end - at); }
};

enum class Scan : std::uint8_t { whole, more, malformed };

Scan scan_varint(ByteCursor& cursor, std::uint64_t& value);
/// A string of at most `most` bytes; `text` views the bytes.
Scan scan_text(ByteCursor& cursor, std::size_t most, std::string_view& text);
/// Passes over one value.
Scan scan_value(const ColumnType& type, ByteCursor& cursor, std::size_t most);

struct NamedColumn {
  std::string name;
  ColumnType type;
};

/// A row whose cells were scanned before, so that decoding cannot fail.
class BinaryRow final : public Row {
 public:
  explicit BinaryRow(const std::vector<NamedColumn>& columns) : columns_(columns), cells_(columns.size()) {}
  void set(std::size_t column, std::string_view bytes) { cells_[column] = bytes; }
  void clear_texts() { texts_.clear(); }

  [[nodiscard]] std::size_t column(std::string_view name) const override;
  [[nodiscard]] bool is_null(std::size_t column) const override;
  [[nodiscard]] std::string_view text(std::size_t column) const override;
  [[nodiscard]] std::int64_t integer(std::size_t column) const override;
  [[nodiscard]] double number(std::size_t column) const override;
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> map(std::size_t column) const override;
  [[nodiscard]] std::vector<std::string> array(std::size_t column) const override;

 private:
  const std::vector<NamedColumn>& columns_;
  std::vector<std::string_view> cells_;
  mutable std::deque<std::string> texts_;  // what `text` had to write itself
};

}  // namespace cameleer::clickhouse
