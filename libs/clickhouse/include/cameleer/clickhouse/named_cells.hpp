#pragma once
#include <cameleer/clickhouse/client.hpp>
#include <cameleer/core/instant.hpp>
#include <concepts>
#include <optional>

namespace cameleer::clickhouse {

/// The cells of a row by the names of their columns, as values that outlive it. An unknown name, and a column that is
/// something else, is a bug (throws). Not kept longer than the row.
class NamedCells {
 public:
  explicit NamedCells(const Row& row) : row_(row) {}
  [[nodiscard]] std::string text(std::string_view name) const { return std::string(row_.text(row_.column(name))); }
  [[nodiscard]] std::int64_t integer(std::string_view name) const { return row_.integer(row_.column(name)); }
  [[nodiscard]] double number(std::string_view name) const { return row_.number(row_.column(name)); }
  /// Of a DateTime64(3).
  [[nodiscard]] Instant time(std::string_view name) const { return instant_of(integer(name)); }
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> map(std::string_view name) const {
    return row_.map(row_.column(name));
  }
  [[nodiscard]] std::vector<std::string> array(std::string_view name) const { return row_.array(row_.column(name)); }
  /// None for a negative one, which stands for a number that was not given.
  template <std::integral Number>
  [[nodiscard]] std::optional<Number> given(std::string_view name) const {
    const auto value = integer(name);
    return value < 0 ? std::nullopt : std::optional(static_cast<Number>(value));
  }

 private:
  const Row& row_;
};

}  // namespace cameleer::clickhouse
