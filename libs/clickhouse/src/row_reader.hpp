#pragma once
#include "row_values.hpp"

namespace cameleer::clickhouse {

/// Rows of RowBinaryWithNamesAndTypes out of fragments of any size. Memory: one row (at most 64 MiB) and one fragment.
class RowReader {
 public:
  using OnRow = std::function<bool(const Row&)>;

  enum class Progress : std::uint8_t { more, stopped };
  /// `stopped` when `on_row` said so.
  Expected<Progress> push(std::string_view fragment, const OnRow& on_row);
  /// The answer ended: an error when that was in the middle of something.
  Expected<Progress> finish(const OnRow& on_row);

 private:
  enum class Stage : std::uint8_t { header, rows };
  Expected<Scan> read_header();
  Expected<Scan> read_row(const OnRow& on_row);
  Expected<Progress> read_all(const OnRow& on_row);
  [[nodiscard]] ByteCursor cursor() const;
  void advance_to(const ByteCursor& cursor);

  Stage stage_ = Stage::header;
  std::vector<NamedColumn> columns_;
  std::optional<BinaryRow> row_;
  std::string buffer_;
  std::size_t position_ = 0;
  std::size_t wanted_ = 0;  // bytes from position_ without which another try is useless
  bool stopped_ = false;
};

}  // namespace cameleer::clickhouse
