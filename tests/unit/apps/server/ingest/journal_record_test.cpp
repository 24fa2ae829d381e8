#include "server/ingest/journal_record.hpp"

#include <cameleer/journal/journal.hpp>
#include <catch2/catch.hpp>
#include <map>

using namespace cameleer;
using namespace cameleer::server;

namespace {

const std::vector<clickhouse::Block::Column> kColumns{{"environment", "String"}, {"start_time", "DateTime64(3)"}};

EncodedRows some_rows() {
  EncodedRows rows;
  rows.parts.push_back(
      {.table = "processor_executions", .columns = kColumns, .body = std::string("a\0b", 3), .rows = 7});
  rows.parts.push_back({.table = "executions", .columns = {}, .body = "", .rows = 0});
  return rows;
}

std::string record_of(const EncodedRows& rows, Instant arrived = instant_of(1'234'567)) {
  const JournalRecord record(rows, arrived);
  std::string bytes;
  for (const auto piece : record.pieces()) bytes += piece;
  return bytes;
}

Expected<EncodedRows> read_back(std::initializer_list<std::string> records) {
  JoinedRecords joined(records.size());
  for (const auto& record : records) {
    if (auto added = joined.add(record); !added) return std::unexpected(added.error());
  }
  return joined.take();
}

TEST_CASE("A journal record gives back tables, columns and bodies") {
  const auto rows = some_rows();
  CHECK(record_of(rows).size() == journal_record_size(rows));
  const auto read = read_back({record_of(rows)}).value();
  REQUIRE(read.parts.size() == 2);
  const auto& first = read.parts[0];
  CHECK(first.table == "processor_executions");
  CHECK(first.rows == 7);
  CHECK(first.body == std::string("a\0b", 3));
  REQUIRE(first.columns.size() == 2);
  CHECK(first.columns[1].name == "start_time");
  CHECK(first.columns[1].type == "DateTime64(3)");
  CHECK(read.parts[1].table == "executions");
}

TEST_CASE("Records are joined to one part for each table and shape, the table they end with last") {
  auto other = some_rows();
  const std::vector<clickhouse::Block::Column> later{{"environment", "String"}};
  other.parts[0].columns = later;
  EncodedRows alone;
  alone.parts.push_back({.table = "executions", .columns = {}, .body = "e", .rows = 1});
  const auto read =
      read_back({record_of(alone), record_of(some_rows()), record_of(some_rows()), record_of(other)}).value();
  REQUIRE(read.parts.size() == 3);
  CHECK(read.requests == 4);
  CHECK(read.parts[2].table == "executions");
  CHECK(read.parts[2].body == "e");
  std::map<std::size_t, std::size_t> rows;
  for (const auto& part : read.parts) rows[part.columns.size()] = part.rows;
  CHECK(rows == std::map<std::size_t, std::size_t>{{0, 1}, {1, 7}, {2, 14}});
}

TEST_CASE("A journal record that was cut or changed anywhere is known to be damaged") {
  const auto bytes = record_of(some_rows());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CHECK_FALSE(read_back({bytes.substr(0, length)}));
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    CHECK_FALSE(read_back({changed}));
  }
}

TEST_CASE("A journal record for a table that this program does not know is refused by its name") {
  EncodedRows rows;
  rows.parts.push_back({.table = "later_table", .columns = kColumns, .body = "x", .rows = 1});
  const auto record = read_back({record_of(rows)});
  REQUIRE_FALSE(record);
  CHECK(record.error().message.find("later_table") != std::string::npos);
}

TEST_CASE("A note tells of a record what nobody wants to read it for") {
  auto rows = some_rows();
  rows.sender = 0xfedcba9876543210;
  const auto note = RecordNote::read(RecordNote::of(rows, instant_of(1'234'567)).bytes());
  CHECK(note.arrived == instant_of(1'234'567));
  CHECK(note.sender == rows.sender);
  CHECK(note.rows == 7);
  CHECK(ingest_tables()[note.table] == "executions");
  CHECK(RecordNote::of(rows, {}).bytes().size() <= journal::most_note);
  for (const std::string none : {"", "no note", "1", "2345678901234567890123"}) {
    CHECK(RecordNote::read(none).arrived == Instant{});
  }
}

}  // namespace
