#include <catch2/catch.hpp>

#include "on_loop.hpp"

using namespace cameleer;
using namespace cameleer::postgres;
using test::PoolOnLoop;

TEST_CASE("values of every kind come back as they were bound") {
  PoolOnLoop db;
  struct Row {
    const char* type;
    Parameter value;
    std::string text;
  };
  std::string all_bytes;
  for (int byte = 0; byte < 256; ++byte) all_bytes += static_cast<char>(byte);
  const std::vector<std::string> words{"plain", "", "comma, quote \" backslash \\ {brace}", "NULL", "naïve 🐪"};
  const Row rows[] = {
      {"text", "O'Hara; drop table x --", "O'Hara; drop table x --"},
      {"text", std::string("naïve 🐪 漢字"), "naïve 🐪 漢字"},
      {"text", "", ""},
      {"bigint", std::int64_t{-9'223'372'036'854'775'807 - 1}, "-9223372036854775808"},
      {"int", 42, "42"},
      {"boolean", true, "t"},
      {"boolean", false, "f"},
      {"double precision", 0.1, "0.1"},
      {"double precision", 1e300, "1e+300"},
      {"double precision", std::numeric_limits<double>::infinity(), "Infinity"},
      {"double precision", std::numeric_limits<double>::quiet_NaN(), "NaN"},
      {"text", std::optional<std::string>("there"), "there"},
      {"timestamptz", "2026-11-22T03:00:00+02:00", "2026-11-22 01:00:00+00"},
  };
  for (const auto& row : rows) {
    INFO(row.type << " " << row.text);
    CHECK(db.cell("select $1::" + std::string(row.type), {row.value}) == row.text);
  }
  auto bytes = db.query("select $1::bytea", {Parameter::bytea(all_bytes)});
  REQUIRE(bytes);
  CHECK(bytes->bytes(0, 0) == all_bytes);
  auto array = db.query("select unnest($1::text[]) as word", {Parameter::text_array(words)});
  REQUIRE(array);
  REQUIRE(array->rows() == words.size());
  for (std::size_t row = 0; row < words.size(); ++row) CHECK(array->text(row, array->column("word")) == words[row]);
  CHECK(db.cell("select cardinality($1::text[])", {Parameter::text_array({})}) == "0");
}

TEST_CASE("NULL is told from the empty text") {
  PoolOnLoop db;
  auto result = db.query("select $1::text, $2::text, $3::int", {std::nullopt, "", std::optional<int>()});
  REQUIRE(result);
  CHECK(result->is_null(0, 0));
  CHECK(result->text(0, 0).empty());
  CHECK(result->optional_text(0, 0) == std::nullopt);
  CHECK_FALSE(result->is_null(0, 1));
  CHECK(result->optional_text(0, 1) == "");
  CHECK(result->is_null(0, 2));
}

TEST_CASE("a result knows its size, its numbers and its columns, and a wrong use is a bug") {
  PoolOnLoop db;
  REQUIRE(db.query("create table numbers (id bigint primary key, even boolean)"));
  auto inserted = db.query("insert into numbers select n, n % 2 = 0 from generate_series(1, 10) n");
  REQUIRE(inserted);
  CHECK(inserted->affected() == 10);
  CHECK(inserted->rows() == 0);
  auto read = db.query("select id, even from numbers order by id");
  REQUIRE(read);
  CHECK(read->rows() == 10);
  CHECK(read->columns() == 2);
  CHECK(read->integer(9, read->column("id")) == 10);
  CHECK(read->boolean(9, read->column("even")));
  CHECK_FALSE(read->boolean(8, 1));
  CHECK_THROWS(read->column("nonsense"));
  CHECK_THROWS(read->text(10, 0));
  CHECK_THROWS(read->text(0, 2));
  CHECK_THROWS(read->integer(0, 1));
}

TEST_CASE("each connection speaks UTF-8 in UTC, in the schema of the pool") {
  PoolOnLoop db;
  CHECK(db.cell("show timezone") == "UTC");
  CHECK(db.cell("show client_encoding") == "UTF8");
  CHECK(db.cell("select current_schema()") == db.schema);
  CHECK(db.cell("show application_name") == "cameleer");
  CHECK(db.cell("show statement_timeout") == "9500ms");
}

TEST_CASE("a value with a NUL byte is refused, not cut") {
  PoolOnLoop db;
  auto outcome = db.query("select $1::text", {std::string("before\0after", 12)});
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().error.code == ErrorCode::invalid_parameter);
  outcome = db.query(std::string("select 1\0, 2", 12));
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().error.code == ErrorCode::invalid_parameter);
}

TEST_CASE("a failure has the server's SQLSTATE, and a message without its text") {
  PoolOnLoop db;
  REQUIRE(
      db.query("create table unique_names (name text constraint name_is_unique primary key, age int check (age > 0))"));
  REQUIRE(db.query("insert into unique_names values ('camel', 1)"));
  struct Row {
    const char* sql;
    const char* sqlstate;
    ErrorCode code;
  };
  const Row rows[] = {
      {"insert into unique_names values ('camel', 2)", "23505", ErrorCode::conflict},
      {"insert into unique_names values ('mule', 0)", "23514", ErrorCode::conflict},
      {"select secret_word from nowhere", "42P01", ErrorCode::internal},
      {"selec secret_word", "42601", ErrorCode::internal},
      {"select 1 / 0", "22012", ErrorCode::internal},
      {"select convert_from('\\xff'::bytea, 'UTF8')", "22021", ErrorCode::invalid_parameter},
      {"do $$ begin raise exception 'secret_word' using errcode = '40P01'; end $$", "40P01", ErrorCode::unavailable},
      {"do $$ begin raise exception 'secret_word' using errcode = '53300'; end $$", "53300", ErrorCode::overloaded},
      {"do $$ begin raise exception 'secret_word' using errcode = '57P03'; end $$", "57P03", ErrorCode::unavailable},
      {"do $$ begin raise exception 'secret_word' using errcode = '08006'; end $$", "08006", ErrorCode::unavailable},
      {"select 1; select 2", "42601", ErrorCode::internal},
  };
  for (const auto& row : rows) {
    INFO(row.sql);
    auto outcome = db.query(row.sql);
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().sqlstate == row.sqlstate);
    CHECK(outcome.error().error.code == row.code);
    CHECK(outcome.error().error.message.find("secret_word") == std::string::npos);
    CHECK_FALSE(outcome.error().server_text.empty());
  }
  auto taken = db.query("insert into unique_names values ('camel', 2)");
  REQUIRE_FALSE(taken);
  CHECK(taken.error().constraint == "name_is_unique");
  CHECK(taken.error().server_text.find("camel") == std::string::npos);
}
