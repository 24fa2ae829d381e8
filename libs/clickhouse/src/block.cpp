#include <fmt/format.h>

#include <cameleer/clickhouse/block.hpp>
#include <limits>
#include <stdexcept>

#include "native_texts.hpp"

namespace cameleer::clickhouse {
namespace {

[[noreturn]] void misuse(const Block::Column& column, std::string_view what) {
  throw std::invalid_argument(fmt::format("column {} of type {}: {}", column.name, column.type, what));
}

enum class NumberKind : std::uint8_t { unsigned_integer, signed_integer, floating, boolean };

struct Numbers {
  NumberKind kind;
  std::uint8_t width;
  std::string data = {};
  std::size_t rows = 0;

  void put(std::uint64_t bits) {
    char bytes[8];
    std::memcpy(bytes, &bits, 8);
    data.append(bytes, width);
    ++rows;
  }
};

using Texts = std::variant<PlainTexts, DictionaryTexts>;

void add(Texts& texts, std::string_view text) {
  std::visit([text](auto& list) { list.add(text); }, texts);
}
std::size_t bytes_of(const Texts& texts) {
  return std::visit([](const auto& list) { return list.bytes(); }, texts);
}

struct TextColumn {
  Texts texts;
  std::size_t rows = 0;
};

/// Array(K) and, with values, Map(K, V): Native writes a map as an array of pairs.
struct ListColumn {
  Texts keys;
  std::optional<Texts> values;
  std::string offsets = {};
  std::uint64_t entries = 0;
  std::size_t rows = 0;

  void end_row(std::size_t count) {
    entries += count;
    put_fixed(offsets, entries);
    ++rows;
  }
};

using Cells = std::variant<Numbers, TextColumn, ListColumn>;

std::optional<Texts> texts_of(std::string_view type) {
  if (type == "String") return Texts(PlainTexts());
  if (type == "LowCardinality(String)") return Texts(DictionaryTexts());
  return std::nullopt;
}

std::optional<Numbers> numbers_of(std::string_view type) {
  struct Known {
    std::string_view name;
    NumberKind kind;
    std::uint8_t width;
  };
  using enum NumberKind;
  static constexpr Known kKnown[] = {
      {"UInt8", unsigned_integer, 1},
      {"UInt16", unsigned_integer, 2},
      {"UInt32", unsigned_integer, 4},
      {"UInt64", unsigned_integer, 8},
      {"Int8", signed_integer, 1},
      {"Int16", signed_integer, 2},
      {"Int32", signed_integer, 4},
      {"Int64", signed_integer, 8},
      {"Float64", floating, 8},
      {"Bool", boolean, 1},
      {"DateTime64(3)", signed_integer, 8},
  };
  for (const auto& known : kKnown) {
    if (known.name == type) return Numbers{known.kind, known.width};
  }
  return std::nullopt;
}

std::optional<std::string_view> arguments_of(std::string_view type, std::string_view name) {
  if (!type.starts_with(name) || !type.ends_with(')')) return std::nullopt;
  return type.substr(name.size(), type.size() - name.size() - 1);
}

Cells cells_of(const Block::Column& column) {
  if (auto numbers = numbers_of(column.type)) return std::move(*numbers);
  if (auto texts = texts_of(column.type)) return TextColumn{std::move(*texts)};
  if (const auto element = arguments_of(column.type, "Array(")) {
    if (auto keys = texts_of(*element)) return ListColumn{std::move(*keys), std::nullopt};
  }
  if (const auto pair = arguments_of(column.type, "Map(")) {
    const auto comma = pair->find(", ");
    if (comma != std::string_view::npos) {
      auto keys = texts_of(pair->substr(0, comma));
      auto values = texts_of(pair->substr(comma + 2));
      if (keys && values) return ListColumn{std::move(*keys), std::move(values)};
    }
  }
  misuse(column, "a type that blocks do not know");
}

std::size_t rows_of(const Cells& cells) {
  return std::visit([](const auto& column) { return column.rows; }, cells);
}

std::size_t bytes_of(const Cells& cells) {
  struct {
    std::size_t operator()(const Numbers& numbers) const { return numbers.data.size(); }
    std::size_t operator()(const TextColumn& column) const { return bytes_of(column.texts); }
    std::size_t operator()(const ListColumn& column) const {
      return column.offsets.size() + bytes_of(column.keys) + (column.values ? bytes_of(*column.values) : 0);
    }
  } visitor;
  return std::visit(visitor, cells);
}

void encode_texts(const Texts& texts, std::string& out) {
  std::visit([&out](const auto& list) { list.encode(out); }, texts);
}
void encode_prefix(const Texts& texts, std::string& out) {
  std::visit([&out](const auto& list) { list.encode_prefix(out); }, texts);
}

void encode(const Cells& cells, std::string& out) {
  if (const auto* numbers = std::get_if<Numbers>(&cells)) {
    out.append(numbers->data);
  } else if (const auto* texts = std::get_if<TextColumn>(&cells)) {
    encode_prefix(texts->texts, out);
    encode_texts(texts->texts, out);
  } else {
    // The prefixes of all nested columns come before any of their data.
    const auto& list = std::get<ListColumn>(cells);
    encode_prefix(list.keys, out);
    if (list.values) encode_prefix(*list.values, out);
    out.append(list.offsets);
    encode_texts(list.keys, out);
    if (list.values) encode_texts(*list.values, out);
  }
}

}  // namespace

template <class Index>
void DictionaryTexts::encode_indexes(std::string& out) const {
  const auto start = out.size();
  out.resize(start + indexes_.size() * sizeof(Index));
  char* at = out.data() + start;
  for (const std::uint32_t index : indexes_) {
    const auto narrow = static_cast<Index>(index);
    std::memcpy(at, &narrow, sizeof narrow);
    at += sizeof narrow;
  }
}

void DictionaryTexts::encode(std::string& out) const {
  if (indexes_.empty()) return;  // nothing at all, not even an empty dictionary
  constexpr std::uint64_t kAdditionalKeys = 1u << 9;
  constexpr std::uint64_t kUpdateDictionary = 1u << 10;
  const std::uint64_t index_type = width() == 1 ? 0 : width() == 2 ? 1 : 2;
  put_fixed<std::uint64_t>(out, index_type | kAdditionalKeys | kUpdateDictionary);
  put_fixed<std::uint64_t>(out, keys_->entries.size());
  out.append(keys_->bytes);
  put_fixed<std::uint64_t>(out, indexes_.size());
  switch (index_type) {
    case 0:
      return encode_indexes<std::uint8_t>(out);
    case 1:
      return encode_indexes<std::uint16_t>(out);
    default:
      return encode_indexes<std::uint32_t>(out);
  }
}

struct Block::Impl {
  std::vector<Column> columns;
  std::vector<Cells> cells;

  template <class Kind>
  Kind& at(std::size_t index, std::string_view what) {
    if (index >= cells.size()) throw std::out_of_range("a block has no such column");
    auto* column = std::get_if<Kind>(&cells[index]);
    if (!column) misuse(columns[index], what);
    return *column;
  }
};

Block::Block(std::vector<Column> columns) : impl_(std::make_unique<Impl>()) {
  for (const auto& column : columns) impl_->cells.push_back(cells_of(column));
  impl_->columns = std::move(columns);
}

Block::~Block() = default;
Block::Block(Block&&) noexcept = default;
Block& Block::operator=(Block&&) noexcept = default;

void Block::append(std::size_t index, std::string_view value) {
  auto& column = impl_->at<TextColumn>(index, "does not take text");
  add(column.texts, value);
  ++column.rows;
}

void Block::append_int(std::size_t index, std::int64_t value) {
  auto& column = impl_->at<Numbers>(index, "does not take integers");
  switch (column.kind) {
    case NumberKind::floating:
      misuse(impl_->columns[index], "does not take integers");
    case NumberKind::boolean:
    case NumberKind::unsigned_integer:
      if (value < 0) misuse(impl_->columns[index], "does not take negative numbers");
      return append_uint(index, static_cast<std::uint64_t>(value));
    case NumberKind::signed_integer:
      break;
  }
  const int spare = 64 - 8 * column.width;
  if (spare > 0 && (value >> (63 - spare)) != (value < 0 ? -1 : 0)) {
    misuse(impl_->columns[index], fmt::format("{} is out of range", value));
  }
  column.put(static_cast<std::uint64_t>(value));
}

void Block::append_uint(std::size_t index, std::uint64_t value) {
  auto& column = impl_->at<Numbers>(index, "does not take integers");
  std::uint64_t most = 1;
  switch (column.kind) {
    case NumberKind::floating:
      misuse(impl_->columns[index], "does not take integers");
    case NumberKind::boolean:
      break;
    case NumberKind::unsigned_integer:
      most = ~std::uint64_t{0} >> (64 - 8 * column.width);
      break;
    case NumberKind::signed_integer:
      most = ~std::uint64_t{0} >> (65 - 8 * column.width);
      break;
  }
  if (value > most) misuse(impl_->columns[index], fmt::format("{} is out of range", value));
  column.put(value);
}

void Block::append_double(std::size_t index, double value) {
  auto& column = impl_->at<Numbers>(index, "does not take floating-point numbers");
  if (column.kind != NumberKind::floating) misuse(impl_->columns[index], "does not take floating-point numbers");
  column.put(std::bit_cast<std::uint64_t>(value));
}

void Block::append_map(std::size_t index, std::span<const std::pair<std::string, std::string>> entries) {
  auto& column = impl_->at<ListColumn>(index, "does not take maps");
  if (!column.values) misuse(impl_->columns[index], "does not take maps");
  for (const auto& [key, value] : entries) {
    add(column.keys, key);
    add(*column.values, value);
  }
  column.end_row(entries.size());
}

void Block::append_array(std::size_t index, std::span<const std::string> values) {
  auto& column = impl_->at<ListColumn>(index, "does not take arrays");
  if (column.values) misuse(impl_->columns[index], "does not take arrays");
  for (const auto& value : values) add(column.keys, value);
  column.end_row(values.size());
}

std::size_t Block::rows() const {
  return impl_->cells.empty() ? 0 : rows_of(impl_->cells.front());
}

std::span<const Block::Column> Block::columns() const {
  return impl_->columns;
}

std::size_t Block::bytes() const {
  std::size_t sum = 0;
  for (const auto& cells : impl_->cells) sum += bytes_of(cells);
  return sum;
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
