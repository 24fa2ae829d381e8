#pragma once
#include <cameleer/clickhouse/block.hpp>
#include <cameleer/masking/masker.hpp>

#include "server/ingest/json_views.hpp"

namespace cameleer::server {

/// Fills in a cell of a row; the rows left out so far hold the default.
template <class Column, class Value>
void put(Column& column, std::size_t row, const Value& value) {
  column.pad(row);
  column.add(value);
}
template <class Column, class Value>
void put(Column& column, std::size_t row, const std::optional<Value>& value) {
  if (value) put(column, row, *value);
}
inline void put(clickhouse::Numbers<std::int64_t>& column, std::size_t row, Instant value) {
  put(column, row, milliseconds_of(value));
}

/// What is stored of texts that may be long or secret: first masked, as what is cut off could be half of a secret's
/// name, then cut at a character. Remembers the names of the members that were cut. One for each row after another.
class StoredTexts {
 public:
  StoredTexts(std::shared_ptr<const SensitiveKeys> keys, std::size_t most) : masker_(std::move(keys)), most_(most) {}

  /// A text that is not masked.
  template <class Column>
  void text(std::string_view member, std::string_view value, std::size_t row, Column& column) {
    if (!value.empty()) put(column, row, cut(member, value, most_));
  }
  /// A text of any format; JSON and XML are masked. `most` bytes of it are stored.
  void body(std::string_view member, std::string_view value, std::size_t most, std::size_t row,
            clickhouse::Texts& column);
  /// The same with its size as it came, where there is one.
  void body(std::string_view member, std::string_view value, std::size_t row, clickhouse::Texts& column,
            clickhouse::Numbers<std::int64_t>& size);
  /// Cut behind the last entry that fits.
  void map(std::string_view member, const MapView& value, std::size_t row, clickhouse::Lists& column);
  /// The list of what was cut in this row, which ends it.
  void end_row(std::size_t row, clickhouse::Lists& truncated);

 private:
  std::string_view cut(std::string_view member, std::string_view text, std::size_t most);

  Masker masker_;
  std::size_t most_;
  std::vector<std::string_view> truncated_;
};

}  // namespace cameleer::server
