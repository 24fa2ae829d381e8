#include <random>

#include "engine_session.hpp"

using namespace cameleer;
using namespace cameleer::clickhouse;
using async::Executor;
using async::Task;
using test::options_for;
using test::PrivateEngine;

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

const std::vector<Block::Column> kColumns{
    {"id", "UInt64"},
    {"s", "String"},
    {"lc", "LowCardinality(String)"},
    {"u8", "UInt8"},
    {"u16", "UInt16"},
    {"u32", "UInt32"},
    {"i8", "Int8"},
    {"i16", "Int16"},
    {"i32", "Int32"},
    {"i64", "Int64"},
    {"f", "Float64"},
    {"b", "Bool"},
    {"t", "DateTime64(3)"},
    {"m", "Map(String, String)"},
    {"mlc", "Map(LowCardinality(String), String)"},
    {"a", "Array(String)"},
    {"alc", "Array(LowCardinality(String))"},
};

struct Cells {
  std::uint64_t id;
  std::string s, lc;
  std::uint8_t u8;
  std::uint16_t u16;
  std::uint32_t u32;
  std::int8_t i8;
  std::int16_t i16;
  std::int32_t i32;
  std::int64_t i64;
  double f;
  bool b;
  std::int64_t t;
  Pairs m, mlc;
  std::vector<std::string> a, alc;
  bool operator==(const Cells&) const = default;
};

Cells empty_cells(std::uint64_t id) {
  Cells cells{};
  cells.id = id;
  return cells;
}

/// Values with the awkward ones in front: empty, NUL, invalid UTF-8, long.
class Values {
 public:
  explicit Values(std::uint32_t seed) : random_(seed) {}

  std::uint64_t bits() { return random_() >> (random_() % 64); }

  std::string text() {
    switch (random_() % 8) {
      case 0:
        return {};
      case 1:
        return std::string("\0\0", 2);
      case 2:
        return "\xff\xfe\xc3(\x80";
      case 3:
        return std::string(200 + random_() % 200, 'L');
      case 4:
        return "\t\n\r'\"\\`{}";
      default: {
        std::string text(random_() % 20, '\0');
        for (auto& c : text) c = static_cast<char>(random_());
        return text;
      }
    }
  }

  std::string one_of(std::size_t count) { return "key-" + std::to_string(random_() % count); }

  Pairs pairs(bool few) {
    Pairs pairs;
    for (auto left = random_() % 5; left > 0; --left) {
      // ClickHouse keeps keys as they are given; a map of ours has each once.
      pairs.emplace_back((few ? one_of(3) : text()) + "#" + std::to_string(left), text());
    }
    return pairs;
  }

  std::vector<std::string> list(bool few) {
    std::vector<std::string> list(random_() % 5);
    for (auto& value : list) value = few ? one_of(3) : text();
    return list;
  }

  Cells cells(std::uint64_t id, std::size_t dictionary) {
    Cells cells{};
    cells.id = id;
    cells.s = text();
    cells.lc = dictionary == 0 ? text() : "value-" + std::to_string(id % dictionary);
    cells.u8 = static_cast<std::uint8_t>(bits());
    cells.u16 = static_cast<std::uint16_t>(bits());
    cells.u32 = static_cast<std::uint32_t>(bits());
    cells.i8 = static_cast<std::int8_t>(bits());
    cells.i16 = static_cast<std::int16_t>(bits());
    cells.i32 = static_cast<std::int32_t>(bits());
    cells.i64 = static_cast<std::int64_t>(bits());
    cells.f = static_cast<double>(static_cast<std::int64_t>(bits())) / 3;
    cells.b = bits() % 2 == 1;
    cells.t = static_cast<std::int64_t>(random_() % 9'000'000'000'000);
    cells.m = pairs(false);
    cells.mlc = pairs(true);
    cells.a = list(false);
    cells.alc = list(true);
    return cells;
  }

 private:
  std::mt19937_64 random_;
};

void append(Block& block, const Cells& cells) {
  std::size_t at = 0;
  block.append_uint(at++, cells.id);
  block.append(at++, cells.s);
  block.append(at++, cells.lc);
  block.append_uint(at++, cells.u8);
  block.append_int(at++, cells.u16);
  block.append_uint(at++, cells.u32);
  block.append_int(at++, cells.i8);
  block.append_int(at++, cells.i16);
  block.append_int(at++, cells.i32);
  block.append_int(at++, cells.i64);
  block.append_double(at++, cells.f);
  block.append_uint(at++, cells.b ? 1 : 0);
  block.append_int(at++, cells.t);
  block.append_map(at++, cells.m);
  block.append_map(at++, cells.mlc);
  block.append_array(at++, cells.a);
  block.append_array(at++, cells.alc);
}

Cells cells_of(const Row& row) {
  Cells cells{};
  std::size_t at = 0;
  cells.id = static_cast<std::uint64_t>(row.integer(at++));
  cells.s = row.text(at++);
  cells.lc = row.text(at++);
  cells.u8 = static_cast<std::uint8_t>(row.integer(at++));
  cells.u16 = static_cast<std::uint16_t>(row.integer(at++));
  cells.u32 = static_cast<std::uint32_t>(row.integer(at++));
  cells.i8 = static_cast<std::int8_t>(row.integer(at++));
  cells.i16 = static_cast<std::int16_t>(row.integer(at++));
  cells.i32 = static_cast<std::int32_t>(row.integer(at++));
  cells.i64 = row.integer(at++);
  cells.f = row.number(at++);
  cells.b = row.integer(at++) != 0;
  cells.t = row.integer(at++);
  cells.m = row.map(at++);
  cells.mlc = row.map(at++);
  cells.a = row.array(at++);
  cells.alc = row.array(at++);
  return cells;
}

std::string ddl() {
  std::string columns;
  for (const auto& [name, type] : kColumns) columns += (columns.empty() ? "" : ", ") + name + " " + type;
  return "CREATE TABLE cells (" + columns + ") ENGINE = MergeTree ORDER BY id";
}

Task<> make_database(Executor executor, std::string name) {
  Client client(executor, options_for(PrivateEngine::shared()));
  REQUIRE_WORKED(co_await client.execute("CREATE DATABASE " + name));
}

}  // namespace

TEST_CASE("what is inserted as Native is read back equal") {
  struct Case {
    const char* name;
    std::size_t rows;
    std::size_t dictionary;  // different values of the low-cardinality column; 0: random bytes
    bool compress;
  };
  const Case cases[] = {
      {"one row", 1, 0, false},
      {"random bytes", 2'000, 0, false},
      {"compressed", 2'000, 0, true},
      {"indexes of one byte, all used", 2'000, 256, false},
      {"indexes of two bytes", 2'000, 300, false},
      {"indexes of four bytes", 70'000, 70'000, false},
  };
  for (const auto& one : cases) {
    CAPTURE(one.name);
    test::run([&](Executor executor) -> Task<> {
      const auto database = test::unique_database("round_trip");
      co_await make_database(executor, database);
      auto options = options_for(PrivateEngine::shared(), database);
      options.compress = one.compress;
      Client client(executor, options);
      REQUIRE_WORKED(co_await client.execute(ddl()));

      Values values(static_cast<std::uint32_t>(one.rows + one.dictionary));
      std::vector<Cells> expected;
      Block block(kColumns);
      for (std::size_t i = 0; i < one.rows; ++i) {
        expected.push_back(values.cells(i, one.dictionary));
        append(block, expected.back());
      }
      REQUIRE_WORKED(co_await client.insert("cells", kColumns, block.encode_native()));

      std::size_t seen = 0;
      std::size_t wrong = 0;
      REQUIRE_WORKED(co_await client.select("SELECT * FROM cells ORDER BY id", {}, [&](const Row& row) {
        if (seen >= expected.size() || cells_of(row) != expected[seen]) ++wrong;
        ++seen;
        return true;
      }));
      CHECK(seen == expected.size());
      CHECK(wrong == 0);
      REQUIRE_WORKED(co_await client.execute("DROP DATABASE " + database));
    });
  }
}

TEST_CASE("columns whose maps and arrays are all empty are inserted") {
  test::run([&](Executor executor) -> Task<> {
    const auto database = test::unique_database("empty");
    co_await make_database(executor, database);
    Client client(executor, options_for(PrivateEngine::shared(), database));
    REQUIRE_WORKED(co_await client.execute(ddl()));
    Block block(kColumns);
    for (std::uint64_t id = 0; id < 3; ++id) append(block, empty_cells(id));
    REQUIRE_WORKED(co_await client.insert("cells", kColumns, block.encode_native()));
    std::vector<Cells> seen;
    REQUIRE_WORKED(co_await client.select("SELECT * FROM cells ORDER BY id", {}, [&](const Row& row) {
      seen.push_back(cells_of(row));
      return true;
    }));
    CHECK(seen == std::vector<Cells>{empty_cells(0), empty_cells(1), empty_cells(2)});
  });
}

TEST_CASE("every type that a query may answer with is read") {
  test::run([&](Executor executor) -> Task<> {
    Client client(executor, options_for(PrivateEngine::shared()));
    const char* sql = R"(SELECT
        toUInt64(18446744073709551615) AS u64, toInt8(-1) AS i8, toFloat32(0.5) AS f32, toFloat64(-2.25) AS f64,
        true AS yes, toFixedString('ab', 3) AS fixed, toLowCardinality('low') AS low,
        CAST(NULL AS Nullable(String)) AS nothing, CAST('x' AS Nullable(String)) AS something,
        CAST(NULL AS Nullable(Int32)) AS no_number, toLowCardinality(CAST('n' AS Nullable(String))) AS low_nullable,
        toDateTime('2026-11-22 01:02:03', 'UTC') AS seconds,
        toDateTime64('2026-11-22 01:02:03.456', 3, 'UTC') AS milliseconds,
        toDateTime64('1969-12-31 23:59:59.999999', 6, 'UTC') AS before, toDate('1970-01-11') AS day,
        toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0') AS uuid,
        CAST('b\'c' AS Enum8('a' = -1, 'b\'c' = 2)) AS e8, CAST('z' AS Enum16('z' = -300)) AS e16,
        map('k', 1::UInt8, 'l', 2) AS numbers, map(1::UInt16, [1]) AS nested, [1, 2, 3]::Array(Int64) AS list,
        ['a', NULL] AS nullable_list, tuple('a', 1) AS pair, toInt128(1) AS wide, now64(3) > 0 AS after)";
    int rows = 0;
    REQUIRE_WORKED(co_await client.select(sql, {}, [&](const Row& row) {
      ++rows;
      const auto at = [&row](const char* name) { return row.column(name); };
      CHECK(row.text(at("u64")) == "18446744073709551615");
      CHECK(row.integer(at("u64")) == -1);
      CHECK(row.number(at("u64")) == Approx(18446744073709551615.0));
      CHECK(row.integer(at("i8")) == -1);
      CHECK(row.number(at("i8")) == -1);
      CHECK(row.number(at("f32")) == 0.5);
      CHECK(row.number(at("f64")) == -2.25);
      CHECK(row.text(at("f64")) == "-2.25");
      CHECK(row.integer(at("yes")) == 1);
      CHECK(row.text(at("yes")) == "true");
      CHECK(row.text(at("fixed")) == std::string_view("ab\0", 3));
      CHECK(row.text(at("low")) == "low");
      CHECK(row.is_null(at("nothing")));
      CHECK(row.text(at("nothing")).empty());
      CHECK_FALSE(row.is_null(at("something")));
      CHECK(row.text(at("something")) == "x");
      CHECK(row.is_null(at("no_number")));
      CHECK(row.integer(at("no_number")) == 0);
      CHECK(row.text(at("low_nullable")) == "n");
      CHECK(row.integer(at("seconds")) == 1'795'309'323);
      CHECK(row.integer(at("milliseconds")) == 1'795'309'323'456);
      CHECK(row.integer(at("before")) == -1);
      CHECK(row.integer(at("day")) == 10);
      CHECK(row.text(at("uuid")) == "61f0c404-5cb3-11e7-907b-a6006ad3dba0");
      CHECK(row.text(at("e8")) == "b'c");
      CHECK(row.integer(at("e8")) == 2);
      CHECK(row.text(at("e16")) == "z");
      CHECK(row.map(at("numbers")) == Pairs{{"k", "1"}, {"l", "2"}});
      CHECK(row.array(at("list")) == std::vector<std::string>{"1", "2", "3"});
      CHECK(row.array(at("nullable_list")) == std::vector<std::string>{"a", ""});
      return true;
    }));
    CHECK(rows == 1);
  });
}
