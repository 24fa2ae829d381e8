#include <fmt/format.h>

#include <cameleer/clickhouse/block.hpp>
#include <stdexcept>

namespace cameleer::clickhouse {
namespace {

[[noreturn]] void misuse(const Block::Column& column, std::string_view what) {
  throw std::invalid_argument(fmt::format("column {} of type {}: {}", column.name, column.type, what));
}

using Cells = std::variant<Texts, Names, Lists, Flags, Numbers<std::uint8_t>, Numbers<std::uint16_t>,
                           Numbers<std::uint32_t>, Numbers<std::uint64_t>, Numbers<std::int8_t>, Numbers<std::int16_t>,
                           Numbers<std::int32_t>, Numbers<std::int64_t>, Numbers<double>>;

template <class Kind>
concept IsNumbers = requires { typename Kind::Value; };
template <class Kind>
concept IsIntegers = IsNumbers<Kind> && std::is_integral_v<typename Kind::Value>;

std::optional<Lists::Cells> texts_of(std::string_view type) {
  if (type == "String") return Lists::Cells(Texts());
  if (type == "LowCardinality(String)") return Lists::Cells(Names());
  return std::nullopt;
}

template <class Kind>
Cells make() {
  return Kind();
}

std::optional<Cells> numbers_of(std::string_view type) {
  struct Known {
    std::string_view name;
    Cells (*make)();
  };
  static constexpr Known kKnown[] = {
      {"UInt8", make<Numbers<std::uint8_t>>},
      {"UInt16", make<Numbers<std::uint16_t>>},
      {"UInt32", make<Numbers<std::uint32_t>>},
      {"UInt64", make<Numbers<std::uint64_t>>},
      {"Int8", make<Numbers<std::int8_t>>},
      {"Int16", make<Numbers<std::int16_t>>},
      {"Int32", make<Numbers<std::int32_t>>},
      {"Int64", make<Numbers<std::int64_t>>},
      {"Float64", make<Numbers<double>>},
      {"Bool", make<Flags>},
      {"DateTime64(3)", make<Numbers<std::int64_t>>},
  };
  for (const auto& known : kKnown) {
    if (known.name == type) return known.make();
  }
  return std::nullopt;
}

std::optional<std::string_view> arguments_of(std::string_view type, std::string_view name) {
  if (!type.starts_with(name) || !type.ends_with(')')) return std::nullopt;
  return type.substr(name.size(), type.size() - name.size() - 1);
}

Cells cells_of(const Block::Column& column) {
  if (auto numbers = numbers_of(column.type)) return std::move(*numbers);
  if (auto texts = texts_of(column.type)) {
    return std::visit([](auto& one) { return Cells(std::move(one)); }, *texts);
  }
  if (const auto element = arguments_of(column.type, "Array(")) {
    if (auto keys = texts_of(*element)) return Lists(std::move(*keys));
  }
  if (const auto pair = arguments_of(column.type, "Map(")) {
    const auto comma = pair->find(", ");
    if (comma != std::string_view::npos) {
      auto keys = texts_of(pair->substr(0, comma));
      auto values = texts_of(pair->substr(comma + 2));
      if (keys && values) return Lists(std::move(*keys), std::move(values));
    }
  }
  misuse(column, "a type that blocks do not know");
}

std::size_t rows_of(const Cells& cells) {
  return std::visit([](const auto& column) { return column.rows(); }, cells);
}

template <class Kind>
constexpr bool has_prefix = std::is_same_v<Kind, Texts> || std::is_same_v<Kind, Names>;

void encode(const Cells& cells, std::string& out) {
  std::visit(
      [&out]<class Kind>(const Kind& column) {
        if constexpr (has_prefix<Kind>) column.encode_prefix(out);
        column.encode(out);
      },
      cells);
}

}  // namespace

struct Block::Impl {
  std::vector<Column> columns;
  std::vector<Cells> cells;

  Cells& at(std::size_t index) {
    if (index >= cells.size()) throw std::out_of_range("a block has no such column");
    return cells[index];
  }
  template <class Kind>
  Kind& at(std::size_t index, std::string_view what) {
    auto* column = std::get_if<Kind>(&at(index));
    if (!column) misuse(columns[index], what);
    return *column;
  }
  template <class Kind>
  Kind& named(std::string_view name) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].name == name) return at<Kind>(i, "is not what it is filled as");
    }
    throw std::out_of_range(fmt::format("a block has no column {}", name));
  }
  template <class Integer>
  void append_integer(std::size_t index, Integer value) {
    std::visit(
        [&]<class Kind>(Kind& column) {
          if constexpr (IsIntegers<Kind>) {
            if (!std::in_range<typename Kind::Value>(value) || std::cmp_greater(value, Kind::most)) {
              misuse(columns[index], fmt::format("{} is out of range", value));
            }
            column.add(static_cast<typename Kind::Value>(value));
          } else {
            misuse(columns[index], "does not take integers");
          }
        },
        at(index));
  }
};

Block::Block(std::vector<Column> columns) : impl_(std::make_unique<Impl>()) {
  impl_->cells.reserve(columns.size());
  for (const auto& column : columns) impl_->cells.push_back(cells_of(column));
  impl_->columns = std::move(columns);
}

Block::~Block() = default;
Block::Block(Block&&) noexcept = default;
Block& Block::operator=(Block&&) noexcept = default;

void Block::append(std::size_t index, std::string_view value) {
  std::visit(
      [&]<class Kind>(Kind& column) {
        if constexpr (has_prefix<Kind>)
          column.add(value);
        else
          misuse(impl_->columns[index], "does not take text");
      },
      impl_->at(index));
}

void Block::append_int(std::size_t index, std::int64_t value) {
  impl_->append_integer(index, value);
}

void Block::append_uint(std::size_t index, std::uint64_t value) {
  impl_->append_integer(index, value);
}

void Block::append_double(std::size_t index, double value) {
  impl_->at<Numbers<double>>(index, "does not take floating-point numbers").add(value);
}

void Block::append_map(std::size_t index, std::span<const std::pair<std::string, std::string>> entries) {
  auto& column = impl_->at<Lists>(index, "does not take maps");
  if (!column.is_map()) misuse(impl_->columns[index], "does not take maps");
  for (const auto& [key, value] : entries) column.add(key, value);
  column.end_row();
}

void Block::append_array(std::size_t index, std::span<const std::string> values) {
  auto& column = impl_->at<Lists>(index, "does not take arrays");
  if (column.is_map()) misuse(impl_->columns[index], "does not take arrays");
  for (const auto& value : values) column.add(value);
  column.end_row();
}

Texts& Block::texts(std::string_view name) {
  return impl_->named<Texts>(name);
}
Names& Block::names(std::string_view name) {
  return impl_->named<Names>(name);
}
Lists& Block::lists(std::string_view name) {
  return impl_->named<Lists>(name);
}
template <class Number>
Numbers<Number>& Block::numbers(std::string_view name) {
  return impl_->named<Numbers<Number>>(name);
}
template Numbers<std::uint32_t>& Block::numbers<std::uint32_t>(std::string_view);
template Numbers<std::uint64_t>& Block::numbers<std::uint64_t>(std::string_view);
template Numbers<std::int32_t>& Block::numbers<std::int32_t>(std::string_view);
template Numbers<std::int64_t>& Block::numbers<std::int64_t>(std::string_view);
template Numbers<double>& Block::numbers<double>(std::string_view);

std::size_t Block::rows() const {
  return impl_->cells.empty() ? 0 : rows_of(impl_->cells.front());
}

std::span<const Block::Column> Block::columns() const {
  return impl_->columns;
}

std::size_t Block::bytes() const {
  std::size_t sum = 0;
  for (const auto& cells : impl_->cells) {
    sum += std::visit([](const auto& column) { return column.bytes(); }, cells);
  }
  return sum;
}

void Block::pad(std::size_t rows) {
  for (auto& cells : impl_->cells) std::visit([rows](auto& column) { column.pad(rows); }, cells);
}

std::string Block::encode_native() const {
  std::size_t size = 32 + bytes();
  for (std::size_t i = 0; i < impl_->cells.size(); ++i) {
    if (rows_of(impl_->cells[i]) != rows()) {
      misuse(impl_->columns[i], fmt::format("{} rows, the first column has {}", rows_of(impl_->cells[i]), rows()));
    }
    size += impl_->columns[i].name.size() + impl_->columns[i].type.size() + 32;
  }
  std::string out;
  out.reserve(size);
  put_varint(out, impl_->cells.size());
  put_varint(out, rows());
  for (std::size_t i = 0; i < impl_->cells.size(); ++i) {
    put_text(out, impl_->columns[i].name);
    put_text(out, impl_->columns[i].type);
    encode(impl_->cells[i], out);
  }
  return out;
}

}  // namespace cameleer::clickhouse
