#include "server/ingest/journal_record.hpp"

#include <catch2/catch.hpp>

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

TEST_CASE("A journal record gives back tables, columns, bodies and the time of arrival") {
  const auto record = decode_journal_record(encode_journal_record(some_rows(), instant_of(1'234'567))).value();
  CHECK(record.arrived == instant_of(1'234'567));
  REQUIRE(record.rows.parts.size() == 2);
  const auto& first = record.rows.parts[0];
  CHECK(first.table == "processor_executions");
  CHECK(first.rows == 7);
  CHECK(first.body == std::string("a\0b", 3));
  REQUIRE(first.columns.size() == 2);
  CHECK(first.columns[1].name == "start_time");
  CHECK(first.columns[1].type == "DateTime64(3)");
  CHECK(record.rows.parts[1].table == "executions");
}

TEST_CASE("A journal record that was cut or changed anywhere is known to be damaged") {
  const auto bytes = encode_journal_record(some_rows(), instant_of(1));
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CHECK_FALSE(decode_journal_record(std::string_view(bytes).substr(0, length)));
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    CHECK_FALSE(decode_journal_record(changed));
  }
}

TEST_CASE("A journal record for a table that this program does not know is refused by its name") {
  EncodedRows rows;
  rows.parts.push_back({.table = "later_table", .columns = kColumns, .body = "x", .rows = 1});
  const auto record = decode_journal_record(encode_journal_record(rows, instant_of(1)));
  REQUIRE_FALSE(record);
  CHECK(record.error().message.find("later_table") != std::string::npos);
}

}  // namespace
