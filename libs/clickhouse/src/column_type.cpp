#include "column_type.hpp"

#include <fmt/format.h>

#include <charconv>

namespace cameleer::clickhouse {
namespace {

using Kind = ColumnType::Kind;
constexpr int kMaxDepth = 16;
constexpr std::size_t kMaxFixed = 1u << 20;

struct Simple {
  std::string_view name;
  Kind kind;
  std::size_t width;
};
constexpr Simple kSimple[] = {
    {"UInt8", Kind::unsigned_integer, 1},
    {"UInt16", Kind::unsigned_integer, 2},
    {"UInt32", Kind::unsigned_integer, 4},
    {"UInt64", Kind::unsigned_integer, 8},
    {"UInt128", Kind::unsigned_integer, 16},
    {"UInt256", Kind::unsigned_integer, 32},
    {"Int8", Kind::signed_integer, 1},
    {"Int16", Kind::signed_integer, 2},
    {"Int32", Kind::signed_integer, 4},
    {"Int64", Kind::signed_integer, 8},
    {"Int128", Kind::signed_integer, 16},
    {"Int256", Kind::signed_integer, 32},
    {"Float32", Kind::floating, 4},
    {"Float64", Kind::floating, 8},
    {"Bool", Kind::boolean, 1},
    {"String", Kind::text, 0},
    {"UUID", Kind::uuid, 16},
    {"Date", Kind::date, 2},
    {"Date32", Kind::signed_integer, 4},
    {"DateTime", Kind::date_time, 4},
    {"IPv4", Kind::unsigned_integer, 4},
    {"Nothing", Kind::nothing, 0},
};

class TypeParser {
 public:
  explicit TypeParser(std::string_view text) : rest_(text) {}

  std::optional<ColumnType> whole() {
    auto type = one(0);
    return type && rest_.empty() ? std::move(type) : std::nullopt;
  }

 private:
  bool take(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  std::string_view word() {
    std::size_t end = 0;
    while (end < rest_.size() && (std::isalnum(static_cast<unsigned char>(rest_[end])) || rest_[end] == '_')) ++end;
    const auto found = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return found;
  }

  std::optional<std::int64_t> number() {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }

  std::optional<std::string> quoted() {
    if (!take("'")) return std::nullopt;
    std::string text;
    while (!rest_.empty() && rest_.front() != '\'') {
      if (rest_.front() == '\\') rest_.remove_prefix(1);
      if (rest_.empty()) return std::nullopt;
      text.push_back(rest_.front());
      rest_.remove_prefix(1);
    }
    return take("'") ? std::optional(std::move(text)) : std::nullopt;
  }

  std::optional<ColumnType> one(int depth) {
    if (depth > kMaxDepth) return std::nullopt;
    const auto name = word();
    if (!rest_.starts_with('(')) {
      for (const auto& simple : kSimple) {
        if (simple.name == name) return ColumnType{simple.kind, simple.width};
      }
      return std::nullopt;
    }
    take("(");
    auto type = with_arguments(name, depth);
    return type && take(")") ? std::move(type) : std::nullopt;
  }

  std::optional<ColumnType> with_arguments(std::string_view name, int depth) {
    if (name == "LowCardinality") return one(depth + 1);
    if (name == "SimpleAggregateFunction") return simple_aggregate(depth);
    if (name == "Nullable") return nested(Kind::nullable, 1, depth);
    if (name == "Array") return nested(Kind::array, 1, depth);
    if (name == "Map") return nested(Kind::map, 2, depth);
    if (name == "Tuple") return tuple(depth);
    if (name == "Enum8" || name == "Enum16") return enumeration(name == "Enum8" ? 1 : 2);
    if (name == "DateTime") return quoted() ? std::optional(ColumnType{Kind::date_time, 4}) : std::nullopt;
    if (name == "DateTime64") return scaled();
    if (name == "FixedString") {
      const auto width = number();
      if (!width || *width < 1 || *width > static_cast<std::int64_t>(kMaxFixed)) return std::nullopt;
      return ColumnType{Kind::fixed_text, static_cast<std::size_t>(*width)};
    }
    return std::nullopt;
  }

  std::optional<ColumnType> nested(Kind kind, std::size_t count, int depth) {
    ColumnType type{kind};
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0 && !take(", ")) return std::nullopt;
      auto child = one(depth + 1);
      if (!child) return std::nullopt;
      type.children.push_back(std::move(*child));
    }
    return type;
  }

  std::optional<ColumnType> simple_aggregate(int depth) {
    word();
    if (!take(", ")) return std::nullopt;
    return one(depth + 1);
  }

  /// Elements may be named: `Tuple(a UInt8, b String)`.
  std::optional<ColumnType> tuple(int depth) {
    ColumnType type{Kind::tuple};
    do {
      const auto before = rest_;
      if (const auto name = word(); name.empty() || !take(" ")) rest_ = before;
      auto child = one(depth + 1);
      if (!child || type.children.size() >= 1'000) return std::nullopt;
      type.children.push_back(std::move(*child));
    } while (take(", "));
    return type;
  }

  std::optional<ColumnType> enumeration(std::size_t width) {
    ColumnType type{Kind::enumeration, width};
    do {
      auto name = quoted();
      if (!name || !take(" = ")) return std::nullopt;
      const auto value = number();
      if (!value || *value < -32'768 || *value > 32'767) return std::nullopt;
      type.names.emplace_back(static_cast<std::int16_t>(*value), std::move(*name));
    } while (take(", "));
    return type;
  }

  std::optional<ColumnType> scaled() {
    if (!number()) return std::nullopt;
    if (take(", ") && !quoted()) return std::nullopt;
    return ColumnType{Kind::signed_integer, 8};
  }

  std::string_view rest_;
};

}  // namespace

Expected<ColumnType> parse_column_type(std::string_view text) {
  auto type = TypeParser(text).whole();
  if (!type) {
    return fail(ErrorCode::upstream_error,
                fmt::format("ClickHouse answered with a column type that is not known: {}.", text.substr(0, 200)));
  }
  return std::move(*type);
}

}  // namespace cameleer::clickhouse
