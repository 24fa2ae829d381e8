#include "server/ingest/journal_record.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <concepts>
#include <memory>

namespace cameleer::server {
namespace {

using Column = clickhouse::Block::Column;

constexpr std::uint32_t kFormat = 0x31524a43;  // "CJR1"
constexpr std::size_t kMostParts = 16, kMostColumns = 256, kChecksum = sizeof(std::uint64_t);
constexpr std::size_t kMostAhead = 32u << 20;
constexpr char kNoteFormat = '1';
constexpr std::size_t kNoteSize = 22;

class Writer {
 public:
  explicit Writer(std::string& bytes) : bytes_(bytes) {}
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

 private:
  std::string& bytes_;
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
  [[nodiscard]] std::string_view rest() const { return rest_; }
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

std::size_t head_size(const TablePart& part) {
  std::size_t size = 8 + part.table.size() + 4 + 8 + 8;
  for (const auto& column : part.columns) size += 16 + column.name.size() + column.type.size();
  return size;
}

// A part of a record, which it views. `shape`: count, names and types of its columns.
struct PartView {
  std::string_view table, shape, body;
  std::uint64_t rows = 0;
};

std::string_view known_table(std::string_view name) {
  const auto tables = ingest_tables();
  const auto found = std::ranges::find(tables, name);
  return found == tables.end() ? std::string_view() : *found;
}

std::shared_ptr<const std::vector<Column>> columns_of(std::string_view shape) {
  Reader reader(shape);
  auto columns = std::make_shared<std::vector<Column>>(reader.number<std::uint32_t>());
  for (auto& column : *columns) {
    column.name = reader.text();
    column.type = reader.text();
  }
  return columns;
}

Expected<PartView> read_part(Reader& reader) {
  const auto name = reader.text();
  PartView part{.table = known_table(name), .shape = reader.rest(), .body = {}};
  if (part.table.empty()) {
    return fail(ErrorCode::internal,
                reader.good() ? fmt::format("it has rows of a table '{}'", name) : "it is damaged");
  }
  const auto count = reader.number<std::uint32_t>();
  if (count > kMostColumns) return fail(ErrorCode::internal, "it is damaged");
  for (std::uint32_t i = 0; i < 2 * count; ++i) reader.text();
  part.shape.remove_suffix(reader.rest().size());
  part.rows = reader.number<std::uint64_t>();
  part.body = reader.text();
  return part;
}

Expected<std::vector<PartView>> read_parts(std::string_view bytes) {
  const auto damaged = [] { return cameleer::fail(ErrorCode::internal, "it is damaged"); };
  if (bytes.size() < kChecksum) return damaged();
  const auto content = bytes.substr(0, bytes.size() - kChecksum);
  Reader checksum(bytes.substr(content.size()));
  if (checksum.number<std::uint64_t>() != XXH3_64bits(content.data(), content.size())) return damaged();

  Reader reader(content);
  if (reader.number<std::uint32_t>() != kFormat) return cameleer::fail(ErrorCode::internal, "it is of another version");
  reader.number<std::uint64_t>();  // when it arrived, which the note tells
  const auto count = reader.number<std::uint32_t>();
  if (count == 0 || count > kMostParts) return damaged();
  std::vector<PartView> parts;
  for (std::uint32_t i = 0; i < count; ++i) {
    auto part = read_part(reader);
    if (!part) return std::unexpected(std::move(part.error()));
    parts.push_back(*part);
  }
  if (!reader.at_end()) return damaged();
  return parts;
}

struct FreeState {
  void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
};

std::uint64_t checksum_of(const std::vector<std::string_view>& pieces) {
  const std::unique_ptr<XXH3_state_t, FreeState> state(XXH3_createState());
  XXH3_64bits_reset(state.get());
  for (const auto piece : pieces) XXH3_64bits_update(state.get(), piece.data(), piece.size());
  return XXH3_64bits_digest(state.get());
}

}  // namespace

std::size_t journal_record_size(const EncodedRows& rows) {
  std::size_t size = 4 + 8 + 4 + kChecksum;
  for (const auto& part : rows.parts) size += head_size(part) + part.body.size();
  return size;
}

JournalRecord::JournalRecord(const EncodedRows& rows, Instant arrived) {
  heads_.reserve(journal_record_size(rows) - rows.bytes());  // never moves, for pieces view it
  Writer writer(heads_);
  writer.number(kFormat).number(static_cast<std::uint64_t>(milliseconds_of(arrived)));
  writer.number(static_cast<std::uint32_t>(rows.parts.size()));
  std::size_t begin = 0;
  for (const auto& part : rows.parts) {
    writer.text(part.table).number(static_cast<std::uint32_t>(part.columns.size()));
    for (const auto& column : part.columns) writer.text(column.name).text(column.type);
    writer.number(static_cast<std::uint64_t>(part.rows)).number(static_cast<std::uint64_t>(part.body.size()));
    pieces_.push_back(std::string_view(heads_).substr(begin));
    pieces_.push_back(part.body);
    begin = heads_.size();
  }
  writer.number(checksum_of(pieces_));
  pieces_.push_back(std::string_view(heads_).substr(begin));
}

RecordNote RecordNote::of(const EncodedRows& rows, Instant arrived) {
  const auto tables = ingest_tables();
  const auto table = std::ranges::find(tables, rows.parts.back().table) - tables.begin();
  return {.arrived = arrived,
          .sender = rows.sender,
          .rows = static_cast<std::uint32_t>(rows.rows()),
          .table = static_cast<std::uint8_t>(table)};
}

RecordNote RecordNote::read(std::string_view bytes) {
  RecordNote note;
  if (bytes.size() != kNoteSize || bytes.front() != kNoteFormat) return note;
  Reader reader(bytes.substr(1));
  note.arrived = instant_of(static_cast<std::int64_t>(reader.number<std::uint64_t>()));
  note.sender = reader.number<std::uint64_t>();
  note.rows = reader.number<std::uint32_t>();
  const auto table = reader.number<std::uint8_t>();
  note.table = table < ingest_tables().size() ? table : std::uint8_t{0};
  return note;
}

std::string RecordNote::bytes() const {
  std::string bytes(1, kNoteFormat);
  Writer(bytes).number(static_cast<std::uint64_t>(milliseconds_of(arrived))).number(sender).number(rows).number(table);
  return bytes;
}

Expected<void> JoinedRecords::add(std::string_view record) {
  const auto parts = read_parts(record);
  if (!parts) return std::unexpected(parts.error());
  for (const auto& part : *parts) {
    auto same = std::ranges::find_if(
        parts_, [&part](const Part& known) { return known.rows.table == part.table && known.shape == part.shape; });
    if (same == parts_.end()) {
      auto columns = columns_of(part.shape);
      parts_.push_back({.rows = {.table = part.table, .columns = *columns, .own_columns = columns},
                        .shape = std::string(part.shape)});
      same = std::prev(parts_.end());
      same->rows.body.reserve(std::min(part.body.size() * expected_, std::max(part.body.size(), kMostAhead)));
    }
    same->rows.body += part.body;
    same->rows.rows += part.rows;
  }
  last_ = parts->back().table;
  ++requests_;
  return {};
}

EncodedRows JoinedRecords::take() {
  std::partition(parts_.begin(), parts_.end(), [this](const Part& part) { return part.rows.table != last_; });
  EncodedRows rows;
  for (auto& part : parts_) rows.parts.push_back(std::move(part.rows));
  rows.requests = requests_;
  parts_.clear();
  return rows;
}

}  // namespace cameleer::server
