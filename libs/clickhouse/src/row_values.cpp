#include "row_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <stdexcept>

namespace cameleer::clickhouse {
namespace {

using Kind = ColumnType::Kind;

Scan pass(ByteCursor& cursor, std::size_t count, std::size_t most) {
  if (count > most) return Scan::malformed;
  if (count > cursor.left()) {
    cursor.missing = count - cursor.left();
    return Scan::more;
  }
  cursor.at += count;
  return Scan::whole;
}

Scan scan_list(const ColumnType& type, ByteCursor& cursor, std::size_t most) {
  std::uint64_t count = 0;
  if (const auto scan = scan_varint(cursor, count); scan != Scan::whole) return scan;
  // Every element takes a byte at least: a count is bounded by bytes that are there.
  if (count > most) return Scan::malformed;
  if (count > cursor.left()) {
    cursor.missing = static_cast<std::size_t>(count) - cursor.left();
    return Scan::more;
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    for (const auto& child : type.children) {
      if (const auto scan = scan_value(child, cursor, most); scan != Scan::whole) return scan;
    }
  }
  return Scan::whole;
}

template <class Number>
Number read(std::string_view bytes) {
  Number value;
  std::copy_n(bytes.substr(0, sizeof value).begin(), sizeof value, reinterpret_cast<char*>(&value));
  return value;
}

std::int64_t signed_of(std::string_view bytes) {
  switch (bytes.size()) {
    case 1:
      return read<std::int8_t>(bytes);
    case 2:
      return read<std::int16_t>(bytes);
    case 4:
      return read<std::int32_t>(bytes);
    case 8:
      return read<std::int64_t>(bytes);
    default:
      throw std::logic_error("an integer of more than 64 bits is not read");
  }
}

std::uint64_t unsigned_of(std::string_view bytes) {
  switch (bytes.size()) {
    case 1:
      return read<std::uint8_t>(bytes);
    case 2:
      return read<std::uint16_t>(bytes);
    case 4:
      return read<std::uint32_t>(bytes);
    case 8:
      return read<std::uint64_t>(bytes);
    default:
      throw std::logic_error("an integer of more than 64 bits is not read");
  }
}

double floating_of(std::string_view bytes) {
  return bytes.size() == 4 ? static_cast<double>(read<float>(bytes)) : read<double>(bytes);
}

/// Type and bytes without Nullable; no bytes for NULL.
struct Cell {
  const ColumnType* type;
  std::string_view bytes;
  bool null = false;
};

Cell bare(const ColumnType& type, std::string_view bytes) {
  if (type.kind != Kind::nullable) return {&type, bytes};
  return {&type.children[0], bytes.substr(1), bytes[0] != 0};
}

std::int64_t integer_of(const Cell& cell) {
  if (cell.null) return 0;
  switch (cell.type->kind) {
    case Kind::unsigned_integer:
    case Kind::date_time:
    case Kind::date:
    case Kind::boolean:
      return static_cast<std::int64_t>(unsigned_of(cell.bytes));
    case Kind::signed_integer:
    case Kind::enumeration:
      return signed_of(cell.bytes);
    default:
      throw std::logic_error("the column is not an integer");
  }
}

std::string uuid_text(std::string_view bytes) {
  const auto high = read<std::uint64_t>(bytes);
  const auto low = read<std::uint64_t>(bytes.substr(8));
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff, high & 0xffff, low >> 48,
                     low & 0xffff'ffff'ffff);
}

std::string_view stored_text(std::string_view bytes) {
  ByteCursor cursor{bytes.data(), bytes.data() + bytes.size()};
  std::string_view text;
  scan_text(cursor, bytes.size(), text);
  return text;
}

std::string_view name_of_value(const Cell& cell) {
  const auto value = signed_of(cell.bytes);
  for (const auto& [number, name] : cell.type->names) {
    if (number == value) return name;
  }
  return {};
}

/// A view of the cell's own bytes where there is one, else of a text put into `texts`.
std::string_view text_of(const Cell& cell, std::deque<std::string>& texts) {
  if (cell.null) return {};
  switch (cell.type->kind) {
    case Kind::text:
      return stored_text(cell.bytes);
    case Kind::fixed_text:
      return cell.bytes;
    case Kind::enumeration:
      return name_of_value(cell);
    case Kind::uuid:
      return texts.emplace_back(uuid_text(cell.bytes));
    case Kind::boolean:
      return cell.bytes[0] != 0 ? "true" : "false";
    case Kind::floating:
      return texts.emplace_back(fmt::format("{}", floating_of(cell.bytes)));
    case Kind::unsigned_integer:
      return texts.emplace_back(std::to_string(unsigned_of(cell.bytes)));
    case Kind::signed_integer:
    case Kind::date_time:
    case Kind::date:
      return texts.emplace_back(std::to_string(integer_of(cell)));
    case Kind::nothing:
      return {};
    default:
      throw std::logic_error("the column is not a text");
  }
}

template <class Use>
void for_each_value(const Cell& list, Use use) {
  ByteCursor cursor{list.bytes.data(), list.bytes.data() + list.bytes.size()};
  std::uint64_t count = 0;
  scan_varint(cursor, count);
  for (std::uint64_t i = 0; i < count; ++i) {
    for (const auto& child : list.type->children) {
      const char* start = cursor.at;
      scan_value(child, cursor, list.bytes.size());
      use(bare(child, {start, static_cast<std::size_t>(cursor.at - start)}));
    }
  }
}

}  // namespace

Scan scan_varint(ByteCursor& cursor, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (cursor.at == cursor.end) {
      cursor.missing = 1;
      return Scan::more;
    }
    const auto byte = static_cast<unsigned char>(*cursor.at++);
    if (shift == 63 && byte > 1) return Scan::malformed;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return Scan::whole;
  }
  return Scan::malformed;
}

Scan scan_text(ByteCursor& cursor, std::size_t most, std::string_view& text) {
  std::uint64_t size = 0;
  if (const auto scan = scan_varint(cursor, size); scan != Scan::whole) return scan;
  if (size > most) return Scan::malformed;
  text = {cursor.at, std::min(static_cast<std::size_t>(size), cursor.left())};
  return pass(cursor, static_cast<std::size_t>(size), most);
}

Scan scan_value(const ColumnType& type, ByteCursor& cursor, std::size_t most) {
  switch (type.kind) {
    case Kind::text: {
      std::string_view text;
      return scan_text(cursor, most, text);
    }
    case Kind::nullable: {
      if (cursor.at == cursor.end) {
        cursor.missing = 1;
        return Scan::more;
      }
      const char flag = *cursor.at++;
      if (flag == 0) return scan_value(type.children[0], cursor, most);
      return flag == 1 ? Scan::whole : Scan::malformed;
    }
    case Kind::array:
    case Kind::map:
      return scan_list(type, cursor, most);
    case Kind::tuple:
      for (const auto& child : type.children) {
        if (const auto scan = scan_value(child, cursor, most); scan != Scan::whole) return scan;
      }
      return Scan::whole;
    default:
      return pass(cursor, type.width, most);
  }
}

std::size_t BinaryRow::column(std::string_view name) const {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].name == name) return i;
  }
  throw std::logic_error(fmt::format("the answer has no column {}", name));
}

bool BinaryRow::is_null(std::size_t column) const {
  return bare(columns_.at(column).type, cells_[column]).null;
}

std::string_view BinaryRow::text(std::size_t column) const {
  return text_of(bare(columns_.at(column).type, cells_[column]), texts_);
}

std::int64_t BinaryRow::integer(std::size_t column) const {
  return integer_of(bare(columns_.at(column).type, cells_[column]));
}

double BinaryRow::number(std::size_t column) const {
  const auto cell = bare(columns_.at(column).type, cells_[column]);
  if (cell.null) return 0;
  if (cell.type->kind == Kind::floating) return floating_of(cell.bytes);
  if (cell.type->kind == Kind::unsigned_integer) return static_cast<double>(unsigned_of(cell.bytes));
  return static_cast<double>(integer_of(cell));
}

std::vector<std::pair<std::string, std::string>> BinaryRow::map(std::size_t column) const {
  const auto cell = bare(columns_.at(column).type, cells_[column]);
  if (cell.type->kind != Kind::map) throw std::logic_error("the column is not a map");
  std::vector<std::pair<std::string, std::string>> entries;
  std::deque<std::string> written;
  bool key = true;
  for_each_value(cell, [&](const Cell& value) {
    if (key) entries.emplace_back();
    (key ? entries.back().first : entries.back().second) = text_of(value, written);
    key = !key;
  });
  return entries;
}

std::vector<std::string> BinaryRow::array(std::size_t column) const {
  const auto cell = bare(columns_.at(column).type, cells_[column]);
  if (cell.type->kind != Kind::array) throw std::logic_error("the column is not an array");
  std::vector<std::string> values;
  std::deque<std::string> written;
  for_each_value(cell, [&](const Cell& value) { values.emplace_back(text_of(value, written)); });
  return values;
}

}  // namespace cameleer::clickhouse
