#include "server/ingest/journal_record.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <concepts>
#include <cstring>

namespace cameleer::server {
namespace {

using Column = clickhouse::Block::Column;

constexpr std::uint32_t kFormat = 0x31524a43;  // "CJR1"
constexpr std::size_t kMostParts = 16, kMostColumns = 256, kChecksum = sizeof(std::uint64_t);

class Writer {
 public:
  template <std::unsigned_integral Number>
  Writer& number(Number value) {
    for (std::size_t i = 0; i < sizeof(value); ++i) bytes_.push_back(static_cast<char>(value >> 8 * i));
    return *this;
  }
  Writer& text(std::string_view value) {
    number(static_cast<std::uint64_t>(value.size()));
    bytes_ += value;
    return *this;
  }
  std::string& bytes() { return bytes_; }

 private:
  std::string bytes_;
};

// Past the end everything reads as zero, and `good` says so.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  template <std::unsigned_integral Number>
  Number number() {
    Number value = 0;
    if (rest_.size() < sizeof(value)) return fail(), value;
    for (std::size_t i = 0; i < sizeof(value); ++i) {
      value |= static_cast<Number>(static_cast<Number>(static_cast<unsigned char>(rest_[i])) << 8 * i);
    }
    rest_.remove_prefix(sizeof(value));
    return value;
  }
  std::string_view text() {
    const auto size = number<std::uint64_t>();
    if (rest_.size() < size) return fail(), std::string_view();
    const auto value = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return value;
  }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool at_end() const { return good_ && rest_.empty(); }

 private:
  void fail() {
    good_ = false;
    rest_ = {};
  }
  std::string_view rest_;
  bool good_ = true;
};

std::string_view known_table(std::string_view name) {
  const auto tables = ingest_tables();
  const auto found = std::ranges::find(tables, name);
  return found == tables.end() ? std::string_view() : *found;
}

Expected<TablePart> read_part(Reader& reader) {
  const auto name = reader.text();
  TablePart part;
  part.table = known_table(name);
  if (part.table.empty()) {
    return fail(ErrorCode::internal,
                reader.good() ? fmt::format("it has rows of a table '{}'", name) : "it is damaged");
  }
  const auto count = reader.number<std::uint32_t>();
  if (count > kMostColumns) return fail(ErrorCode::internal, "it is damaged");
  auto columns = std::make_shared<std::vector<Column>>();
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto column = reader.text();
    columns->push_back({.name = std::string(column), .type = std::string(reader.text())});
  }
  part.rows = reader.number<std::uint64_t>();
  part.body = reader.text();
  part.columns = *columns;
  part.own_columns = std::move(columns);
  return part;
}

}  // namespace

std::string encode_journal_record(const EncodedRows& rows, Instant arrived) {
  Writer writer;
  writer.bytes().reserve(rows.bytes() + rows.parts.size() * 2'048 + 64);
  writer.number(kFormat).number(static_cast<std::uint64_t>(milliseconds_of(arrived)));
  writer.number(static_cast<std::uint32_t>(rows.parts.size()));
  for (const auto& part : rows.parts) {
    writer.text(part.table).number(static_cast<std::uint32_t>(part.columns.size()));
    for (const auto& column : part.columns) writer.text(column.name).text(column.type);
    writer.number(static_cast<std::uint64_t>(part.rows)).text(part.body);
  }
  writer.number(static_cast<std::uint64_t>(XXH3_64bits(writer.bytes().data(), writer.bytes().size())));
  return std::move(writer.bytes());
}

Expected<JournalRecord> decode_journal_record(std::string_view bytes) {
  const auto damaged = [] { return cameleer::fail(ErrorCode::internal, "it is damaged"); };
  if (bytes.size() < kChecksum) return damaged();
  const auto content = bytes.substr(0, bytes.size() - kChecksum);
  Reader checksum(bytes.substr(content.size()));
  if (checksum.number<std::uint64_t>() != XXH3_64bits(content.data(), content.size())) return damaged();

  Reader reader(content);
  if (reader.number<std::uint32_t>() != kFormat) return cameleer::fail(ErrorCode::internal, "it is of another version");
  JournalRecord record;
  record.arrived = instant_of(static_cast<std::int64_t>(reader.number<std::uint64_t>()));
  const auto parts = reader.number<std::uint32_t>();
  if (parts == 0 || parts > kMostParts) return damaged();
  for (std::uint32_t i = 0; i < parts; ++i) {
    auto part = read_part(reader);
    if (!part) return std::unexpected(std::move(part.error()));
    record.rows.parts.push_back(std::move(*part));
  }
  if (!reader.at_end()) return damaged();
  return record;
}

}  // namespace cameleer::server
