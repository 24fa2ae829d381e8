#pragma once
#include <cameleer/clickhouse/native_columns.hpp>
#include <cameleer/core/error.hpp>
#include <span>

namespace cameleer::clickhouse {

/// Columns of a block to insert, appended row by row and encoded as ClickHouse's Native format. Filling and encoding
/// are plain CPU work and may run on a worker.
class Block {
 public:
  /// Types: String, LowCardinality(String), UInt8, UInt16, UInt32, UInt64, Int32, Int64, Float64, Bool, DateTime64(3),
  /// Map(String, String), Map(LowCardinality(String), String), Array(String), Array(LowCardinality(String)), UUID as
  /// text is String here.
  struct Column {
    std::string name;
    std::string type;
  };
  explicit Block(std::vector<Column> columns);
  ~Block();
  Block(Block&&) noexcept;
  Block& operator=(Block&&) noexcept;

  /// Appends one cell to the column at `index`; a value that does not fit the column's type is a bug (throws).
  /// Strings may hold any bytes. DateTime64(3) takes milliseconds since the epoch by `append_int`.
  void append(std::size_t index, std::string_view value);
  void append_int(std::size_t index, std::int64_t value);
  void append_uint(std::size_t index, std::uint64_t value);
  void append_double(std::size_t index, double value);
  void append_map(std::size_t index, std::span<const std::pair<std::string, std::string>> entries);
  void append_array(std::size_t index, std::span<const std::string> values);

  /// A column by its name, to be filled directly; lives as long as the block, moved or not. Not there, or of another
  /// type: a bug (throws). Numbers: std::uint32_t, std::uint64_t, std::int32_t, std::int64_t (DateTime64(3), too),
  /// double.
  Texts& texts(std::string_view name);
  Names& names(std::string_view name);
  Lists& lists(std::string_view name);
  template <class Number>
  Numbers<Number>& numbers(std::string_view name);
  /// Gives every column that is shorter so many rows, with its default.
  void pad(std::size_t rows);

  [[nodiscard]] std::size_t rows() const;  ///< of the first column
  [[nodiscard]] std::span<const Column> columns() const;
  /// Bytes held, for batching.
  [[nodiscard]] std::size_t bytes() const;
  /// Throws when columns differ in length. The block stays as it is.
  [[nodiscard]] std::string encode_native() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cameleer::clickhouse
