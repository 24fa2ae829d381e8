#include <cameleer/clickhouse/named_cells.hpp>
#include <catch2/catch.hpp>
#include <row_reader.hpp>

using namespace cameleer;
using namespace cameleer::clickhouse;
using namespace std::string_literals;

namespace {

/// Strings of less than 128 bytes.
std::string texts(std::initializer_list<std::string> list) {
  std::string out;
  for (const auto& text : list) {
    out += static_cast<char>(text.size()) + text;
  }
  return out;
}

struct Seen {
  std::vector<std::string> rows;
  std::optional<Error> error;
};

/// Reads the bytes in fragments of `size`; each row as the text of its first column.
Seen read(const std::string& bytes, std::size_t size) {
  Seen seen;
  RowReader reader;
  const auto on_row = [&](const Row& row) {
    seen.rows.emplace_back(row.text(0));
    return true;
  };
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    const auto progress = reader.push(std::string_view(bytes).substr(at, size), on_row);
    if (!progress) {
      seen.error = progress.error();
      return seen;
    }
  }
  if (const auto progress = reader.finish(on_row); !progress) seen.error = progress.error();
  return seen;
}

const std::string kTwoTexts = "\x02"s + texts({"s", "n", "String", "Nullable(UInt32)"});

}  // namespace

TEST_CASE("rows come out whole whatever the fragments are") {
  const std::string bytes = kTwoTexts + texts({"abc"}) + "\x01" + texts({""}) + "\0\1\2\3\4"s + texts({"z"}) + "\x01";
  for (std::size_t size = 1; size <= bytes.size(); ++size) {
    const auto seen = read(bytes, size);
    CHECK_FALSE(seen.error);
    CHECK(seen.rows == std::vector<std::string>{"abc", "", "z"});
  }
}

TEST_CASE("an answer that ends anywhere but between rows is an error") {
  const std::string bytes = kTwoTexts + texts({"abc"}) + "\x01" + texts({"defg"}) + "\0\1\2\3\4"s;
  const auto header = kTwoTexts.size();
  for (std::size_t end = 1; end < bytes.size(); ++end) {
    CAPTURE(end);
    const bool between = end == header || end == header + 5;
    CHECK(read(bytes.substr(0, end), 7).error.has_value() == !between);
  }
  CHECK_FALSE(read("", 1).error);  // an answer of no row may have no header
}

TEST_CASE("what is not RowBinaryWithNamesAndTypes is an error") {
  const struct {
    const char* name;
    std::string bytes;
  } cases[] = {
      {"no column", "\x00"s},
      {"too many columns", "\xff\xff\xff\x7f"},
      {"a number of 65 bits", std::string(9, '\xff') + "\x02"},
      {"a name without end", "\x01\xff\xff\xff\xff\x0f"},
      {"an unknown type", "\x01"s + texts({"a", "Dynamic"})},
      {"a type nested without end",
       "\x01\x01"
       "a\x78"s +
           [] {
             std::string type;
             for (int i = 0; i < 20; ++i) type += "Array(";
             return type;
           }()},
      {"a string of 2^63 bytes", "\x01"s + texts({"a", "String"}) + std::string(9, '\xff') + "\x00"s},
      {"an array of 2^60 elements", "\x01"s + texts({"a", "Array(UInt8)"}) + std::string(8, '\xff') + "\x0f"},
      {"an impossible null flag", "\x01"s + texts({"a", "Nullable(UInt8)"}) + "\x02"},
      {"rows without bytes", "\x01"s + texts({"a", "Nothing"}) + "x"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.name);
    for (const std::size_t size : {1, 1000}) CHECK(read(one.bytes, size).error.has_value());
  }
}

TEST_CASE("a large row in small pieces is not looked through for each") {
  std::string bytes = "\x01"s + texts({"a", "Array(String)"}) + "\x80\x80\x80\x01";  // 2^21 elements
  bytes += std::string(std::size_t{1} << 21, '\0');
  RowReader reader;
  std::size_t elements = 0;
  const auto on_row = [&](const Row& row) {
    elements = row.array(0).size();
    return true;
  };
  for (std::size_t at = 0; at < bytes.size(); at += 512) {
    REQUIRE(reader.push(std::string_view(bytes).substr(at, 512), on_row).has_value());
  }
  REQUIRE(reader.finish(on_row).has_value());
  CHECK(elements == std::size_t{1} << 21);
}

TEST_CASE("a column is read as what it is") {
  RowReader reader;
  const auto bytes = "\x01"s + texts({"a", "Array(UInt8)"}) + "\x01\x02";
  const auto misread = [&](const Row& row) {
    CHECK_THROWS_AS(row.integer(0), std::logic_error);
    CHECK_THROWS_AS(row.text(0), std::logic_error);
    CHECK_THROWS_AS(row.map(0), std::logic_error);
    CHECK_THROWS_AS(row.column("b"), std::logic_error);
    CHECK(row.array(row.column("a")) == std::vector<std::string>{"2"});
    return false;
  };
  const auto progress = reader.push(bytes, misread);
  REQUIRE(progress.has_value());
  CHECK(*progress == RowReader::Progress::stopped);
}

TEST_CASE("cells are read by the names of their columns, a negative number as one that was not given") {
  const auto bytes = "\x07"s +
                     texts({"body", "headers", "names", "at", "size", "none", "ratio", "String", "Map(String, String)",
                            "Array(String)", "DateTime64(3)", "UInt16", "Int32", "Float32"}) +
                     texts({"in"}) + "\x02" + texts({"a", "1", "b", ""}) + "\x01" + texts({"body"}) +
                     "\xe8\3\0\0\0\0\0\0"s + "\x0a\0"s + "\xff\xff\xff\xff" + "\0\0\0\x3f"s;
  RowReader reader;
  bool seen = false;
  const auto on_row = [&](const Row& row) {
    const NamedCells cells(row);
    CHECK(cells.text("body") == "in");
    CHECK(cells.map("headers") == std::vector<std::pair<std::string, std::string>>{{"a", "1"}, {"b", ""}});
    CHECK(cells.array("names") == std::vector<std::string>{"body"});
    CHECK(cells.time("at") == instant_of(1'000));
    CHECK(cells.given<std::uint64_t>("size") == 10u);
    CHECK(cells.given<std::int64_t>("none") == std::nullopt);
    CHECK(cells.integer("none") == -1);
    CHECK(cells.number("ratio") == 0.5);
    CHECK_THROWS_AS(cells.text("bodies"), std::logic_error);
    CHECK_THROWS_AS(cells.map("body"), std::logic_error);
    return seen = true;
  };
  REQUIRE(reader.push(bytes, on_row).has_value());
  REQUIRE(reader.finish(on_row).has_value());
  CHECK(seen);
}
