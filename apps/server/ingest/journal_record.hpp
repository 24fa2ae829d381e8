#pragma once
#include <cameleer/core/error.hpp>
#include <cameleer/core/instant.hpp>
#include <string>
#include <string_view>

#include "server/ingest/batch_writer.hpp"

namespace cameleer::server {

/// Rows of one request as the journal holds them: tables with the columns they were encoded for, so that a newer
/// program still knows what the bytes are; a checksum at the end. In pieces that view `rows` and each other, so that
/// the bodies are copied once, into the journal. `rows` outlives it. Any thread.
class JournalRecord {
 public:
  JournalRecord(const EncodedRows& rows, Instant arrived);
  JournalRecord(const JournalRecord&) = delete;
  JournalRecord& operator=(const JournalRecord&) = delete;
  [[nodiscard]] const std::vector<std::string_view>& pieces() const { return pieces_; }

 private:
  std::string heads_;
  std::vector<std::string_view> pieces_;
};
/// Bytes of such a record.
std::size_t journal_record_size(const EncodedRows& rows);

/// What is told of a record without reading it. Of a note that is none, or another version's: nothing but that.
struct RecordNote {
  Instant arrived{};
  std::uint64_t sender = 0;
  std::uint32_t rows = 0;
  std::uint8_t table = 0;  ///< place of the last part's among `ingest_tables()`

  static RecordNote of(const EncodedRows& rows, Instant arrived);
  static RecordNote read(std::string_view bytes);
  [[nodiscard]] std::string bytes() const;
};

/// Joins records that end with the same table into one insert for each table. Any thread.
class JoinedRecords {
 public:
  /// So many are expected: room is made ahead.
  explicit JoinedRecords(std::size_t records) : expected_(records) {}
  /// `internal` with what is wrong, and nothing joined: damaged, of another version, a table that this program does not
  /// know.
  Expected<void> add(std::string_view record);
  [[nodiscard]] EncodedRows take();

 private:
  struct Part {
    TablePart rows;
    std::string shape;  // the columns as records have them
  };
  std::vector<Part> parts_;
  std::string_view last_;
  std::size_t expected_, requests_ = 0;
};

}  // namespace cameleer::server
