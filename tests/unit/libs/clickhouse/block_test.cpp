#include <cameleer/clickhouse/block.hpp>
#include <catch2/catch.hpp>
#include <limits>

using cameleer::clickhouse::Block;
using namespace std::string_literals;

namespace {

std::string u64(std::uint64_t value) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(value >> (8 * i)));
  return bytes;
}

}  // namespace

TEST_CASE("a block is written column by column, as revision 0 of the Native format") {
  Block block({{"n", "UInt16"}, {"s", "String"}});
  block.append_uint(0, 258);
  block.append(1, "a\0b"s);
  block.append_int(0, 3);
  block.append(1, "");
  CHECK(block.rows() == 2);
  CHECK(block.encode_native() == "\x02\x02\x01n\x06UInt16\x02\x01\x03\x00\x01s\x06String\x03"s + "a\0b\x00"s);
}

TEST_CASE("a low-cardinality column is a dictionary and indexes") {
  Block block({{"c", "LowCardinality(String)"}});
  for (const char* text : {"x", "yy", "x"}) block.append(0, text);
  CHECK(block.encode_native() == "\x01\x03\x01"s + "c\x16LowCardinality(String)" + u64(1) + u64(0x600) + u64(2) +
                                     "\x01x\x02yy" + u64(3) + "\x00\x01\x00"s);
}

TEST_CASE("prefixes of nested columns come before the offsets, and an empty dictionary is not written") {
  Block block({{"m", "Map(LowCardinality(String), String)"}});
  block.append_map(0, {});
  CHECK(block.encode_native() == "\x01\x01\x01m\x23Map(LowCardinality(String), String)"s + u64(1) + u64(0));
}

TEST_CASE("a value that does not fit is a bug") {
  Block block({{"u8", "UInt8"},
               {"i32", "Int32"},
               {"b", "Bool"},
               {"f", "Float64"},
               {"s", "String"},
               {"a", "Array(String)"},
               {"u64", "UInt64"},
               {"i64", "Int64"}});
  using Bug = std::invalid_argument;
  CHECK_THROWS_AS(block.append_int(0, 256), Bug);
  CHECK_THROWS_AS(block.append_int(0, -1), Bug);
  CHECK_THROWS_AS(block.append_uint(0, 256), Bug);
  CHECK_THROWS_AS(block.append_int(1, std::int64_t{1} << 31), Bug);
  CHECK_THROWS_AS(block.append_int(1, -(std::int64_t{1} << 31) - 1), Bug);
  CHECK_THROWS_AS(block.append_uint(1, std::uint64_t{1} << 31), Bug);
  CHECK_THROWS_AS(block.append_uint(2, 2), Bug);
  CHECK_THROWS_AS(block.append_int(3, 1), Bug);
  CHECK_THROWS_AS(block.append_double(0, 1), Bug);
  CHECK_THROWS_AS(block.append(0, "1"), Bug);
  CHECK_THROWS_AS(block.append_uint(4, 1), Bug);
  CHECK_THROWS_AS(block.append_map(5, {}), Bug);
  CHECK_THROWS_AS(block.append_uint(7, std::uint64_t{1} << 63), Bug);
  CHECK_THROWS_AS(block.append(8, ""), std::out_of_range);
  CHECK_THROWS_AS(Block({{"x", "Nullable(String)"}}), Bug);
  CHECK(block.rows() == 0);

  block.append_int(0, 255);
  block.append_int(1, std::numeric_limits<std::int32_t>::min());
  block.append_uint(6, std::numeric_limits<std::uint64_t>::max());
  block.append_int(7, std::numeric_limits<std::int64_t>::min());
  CHECK_THROWS_AS(block.encode_native(), Bug);  // the other columns have no row
}

TEST_CASE("a block knows its size roughly and can be moved while it is filled") {
  Block block({{"c", "LowCardinality(String)"}, {"s", "String"}});
  block.append(0, "one");
  block.append(1, std::string(1000, 'x'));
  Block moved = std::move(block);
  for (int i = 0; i < 1000; ++i) {
    moved.append(0, std::to_string(i % 7));
    moved.append(1, "y");
  }
  CHECK(moved.rows() == 1001);
  CHECK(moved.bytes() >= 4000);
  CHECK(moved.encode_native().size() <= moved.bytes() + 200);
}

TEST_CASE("columns are filled by name, and rows left out hold the default") {
  Block block({{"n", "LowCardinality(String)"},
               {"t", "String"},
               {"i", "Int32"},
               {"m", "Map(LowCardinality(String), String)"},
               {"u", "UInt64"}});
  auto& names = block.names("n");
  auto& texts = block.texts("t");
  auto& numbers = block.numbers<std::int32_t>("i");
  auto& maps = block.lists("m");
  numbers.set_default(-1);
  Block moved = std::move(block);
  names.add("a", 3);
  texts.pad(2);
  texts.add("x");
  numbers.add(7);
  maps.pad(1);
  maps.add("k", "v");
  maps.end_row();
  moved.pad(moved.rows());

  Block same({moved.columns().begin(), moved.columns().end()});
  for (int row = 0; row < 3; ++row) {
    same.append(0, "a");
    same.append(1, row == 2 ? "x" : "");
    same.append_int(2, row == 0 ? 7 : -1);
    const std::vector<std::pair<std::string, std::string>> entries{{"k", "v"}};
    same.append_map(3, std::span(entries).first(row == 1 ? 1 : 0));
    same.append_uint(4, 0);
  }
  CHECK(moved.encode_native() == same.encode_native());
}

TEST_CASE("a column that is not there, or of another type, is a bug") {
  Block block({{"s", "String"}, {"u8", "UInt8"}, {"t", "DateTime64(3)"}});
  CHECK_NOTHROW(block.numbers<std::int64_t>("t"));
  CHECK_THROWS_AS(block.texts("x"), std::out_of_range);
  CHECK_THROWS_AS(block.names("s"), std::invalid_argument);
  CHECK_THROWS_AS(block.numbers<std::uint64_t>("u8"), std::invalid_argument);
}
