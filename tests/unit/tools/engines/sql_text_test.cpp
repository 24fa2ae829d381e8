#include "sql_text.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace cameleer::engine;
using namespace std::string_literals;

namespace {

struct InsertCase {
  std::string text;
  std::string sql;
  std::string format;
  std::string data;
};

}  // namespace

TEST_CASE("an INSERT is cut at its FORMAT or VALUES clause, and its data stays untouched") {
  const std::vector<InsertCase> cases{
      {"INSERT INTO t FORMAT TSV\n1\t2\n\nDROP TABLE t", "INSERT INTO t ", "TSV", "1\t2\n\nDROP TABLE t"},
      {"insert into t (a, b) format JSONEachRow {\"a\":1}", "insert into t (a, b) ", "JSONEachRow", "{\"a\":1}"},
      {"INSERT INTO t FORMAT Native\r\n\0\1;\n\n"s, "INSERT INTO t ", "Native", "\0\1;\n\n"s},
      {"INSERT INTO t FORMAT TSV\n\n\n", "INSERT INTO t ", "TSV", "\n\n"},
      {"INSERT INTO format FORMAT CSV\n1", "INSERT INTO format ", "CSV", "1"},
      {"INSERT INTO `a;b`.\"FORMAT x\" FORMAT CSV\n1", "INSERT INTO `a;b`.\"FORMAT x\" ", "CSV", "1"},
      {"INSERT INTO db.values (format) VALUES (1),('a;b')", "INSERT INTO db.values (format) ", "Values",
       " (1),('a;b')"},
      {"INSERT INTO t SETTINGS a='FORMAT x' FORMAT CSV\n1", "INSERT INTO t SETTINGS a='FORMAT x' ", "CSV", "1"},
      {"INSERT INTO t -- FORMAT TSV\n /* VALUES */ FORMAT CSV\n1", "INSERT INTO t -- FORMAT TSV\n /* VALUES */ ", "CSV",
       "1"},
      {"INSERT INTO {t:Identifier}.{u:Identifier} FORMAT CSV\n1", "INSERT INTO {t:Identifier}.{u:Identifier} ", "CSV",
       "1"},
      {"INSERT INTO FUNCTION file('x;y', 'CSV') FORMAT CSV\n1", "INSERT INTO FUNCTION file('x;y', 'CSV') ", "CSV", "1"},
      {"  ;; INSERT INTO t VALUES (1);  ", "INSERT INTO t ", "Values", " (1);  "}};
  for (const auto& one : cases) {
    INFO(one.text);
    const auto split = split_statement(one.text);
    REQUIRE(split.has_value());
    CHECK(split->kind == StatementKind::insert_data);
    CHECK(split->sql == one.sql);
    CHECK(split->format == one.format);
    CHECK(one.text.substr(split->data_offset) == one.data);
  }
}

TEST_CASE("a statement without data keeps its text and tells its output format") {
  struct Case {
    std::string text;
    std::string sql;
    std::string format;
  };
  const std::vector<Case> cases{
      {"SELECT 1", "SELECT 1", ""},
      {"SELECT 1;;\n-- end\n", "SELECT 1", ""},
      {"SELECT ';' FORMAT JSON", "SELECT ';' FORMAT JSON", "JSON"},
      {"SELECT 1 FORMAT CSV SETTINGS a=1", "SELECT 1 FORMAT CSV SETTINGS a=1", "CSV"},
      {"SELECT format FROM t", "SELECT format FROM t", ""},
      {"SELECT $x$ ; $x$", "SELECT $x$ ; $x$", ""},
      {"SELECT ‘a;b’", "SELECT ‘a;b’", ""},
      {"INSERT INTO t SELECT * FROM values('a Int8', 1)", "INSERT INTO t SELECT * FROM values('a Int8', 1)", ""},
      {"INSERT INTO t (SELECT 1)", "INSERT INTO t (SELECT 1)", ""},
      {"WITH 1 AS x INSERT INTO t SELECT x", "WITH 1 AS x INSERT INTO t SELECT x", ""}};
  for (const auto& one : cases) {
    INFO(one.text);
    const auto split = split_statement(one.text);
    REQUIRE(split.has_value());
    CHECK(split->kind == StatementKind::query);
    CHECK(split->sql == one.sql);
    CHECK(split->format == one.format);
  }
}

TEST_CASE("texts that would run more than one statement, or data as SQL, are refused") {
  struct Case {
    std::string text;
    int code;
  };
  const std::vector<Case> cases{{"SELECT 1; SELECT 2", 62},
                                {"SELECT 1;\n\nDROP TABLE t", 62},
                                {"SELECT '\\';' ; DROP TABLE t", 62},
                                {"SELECT 1 /* ; */ ; DROP TABLE t", 62},
                                {"INSERT INTO t VALUES (1); DROP TABLE t", 62},
                                {"INSERT INTO t; DROP TABLE t", 62},
                                {"INSERT INTO t SELECT 1; DROP TABLE t", 62},
                                {"INSERT INTO t FORMAT TSV;\n1", 62},
                                {"INSERT INTO t FORMAT", 62},
                                {"EXPLAIN INSERT INTO t VALUES (1)\n\nDROP TABLE t", 48},
                                {"WITH 1 AS x INSERT INTO t VALUES (1)\n\nDROP TABLE t", 48},
                                {"SELECT 1 PARALLEL WITH INSERT INTO t VALUES (1)", 48},
                                {"INSERT INTO t SELECT * FROM input('a Int8') FORMAT TSV\n1\n\nDROP TABLE t", 48}};
  for (const auto& one : cases) {
    INFO(one.text);
    const auto split = split_statement(one.text);
    REQUIRE_FALSE(split.has_value());
    CHECK(split.error().code == one.code);
  }
}

TEST_CASE("nothing but white space and comments is no statement, and half a token does no harm") {
  for (const std::string text : {"", " \n\t", ";;", "-- x", "/* x", "#! x\n"}) {
    const auto split = split_statement(text);
    REQUIRE(split.has_value());
    CHECK(split->kind == StatementKind::nothing);
  }
  for (const std::string text :
       {"SELECT 'x", "SELECT `x\\", "SELECT $a$ x", "SELECT \"", "INSERT INTO", "INSERT INTO {x"}) {
    CHECK(split_statement(text).has_value());
  }
}
