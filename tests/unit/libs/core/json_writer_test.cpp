#include <simdjson.h>

#include <cameleer/core/json_writer.hpp>
#include <catch2/catch.hpp>

using namespace cameleer;

TEST_CASE("objects and arrays are written without white space, in the order of the calls") {
  JsonWriter json;
  json.begin_object().key("b").number(-7).key("a").begin_array().text("x").number(0).boolean(true).begin_object();
  json.end_object().begin_array().end_array().end_array().key("c").raw("null").key("d").boolean(false);
  CHECK(json.end_object().take() == R"({"b":-7,"a":["x",0,true,{},[]],"c":null,"d":false})");
}

TEST_CASE("real numbers read back as they were") {
  for (const double value : {0.0, 1.0, 0.5, 0.1, 1.0 / 3, 1e-7, 1e300}) {
    JsonWriter json;
    const auto text = json.begin_array().real(value).end_array().take();
    simdjson::dom::parser parser;
    CHECK(parser.parse(text).at(0).get_double().value() == value);
  }
}

TEST_CASE("any text reads back as it was, as a value and as a name") {
  std::string all;
  for (int c = 0; c < 0x80; ++c) all += static_cast<char>(c);
  all += "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xaa";
  JsonWriter json;
  const auto text = json.begin_object().key(all).text(all).end_object().take();
  simdjson::dom::parser parser;
  const simdjson::dom::object object = parser.parse(text);
  CHECK((*object.begin()).key == all);
  CHECK((*object.begin()).value.get_string().value() == all);
}

TEST_CASE("whatever bytes a text has, the JSON is valid") {
  const std::string texts[] = {
      "", "\"\\/", std::string("\0\x01\x1f\x7f", 4), "\n\r\t\b\f", "\xFF\xFE", "a\xC3", "\xED\xA0\x80", "</script>"};
  for (const auto& text : texts) {
    JsonWriter json;
    json.begin_object().key(text).text(text).key("list").begin_array().text(text).number(-1).boolean(true).end_array();
    const auto written = json.end_object().take();
    CAPTURE(written);
    simdjson::dom::parser parser;
    simdjson::dom::array list;
    REQUIRE(parser.parse(written)["list"].get(list) == simdjson::SUCCESS);
    CHECK(list.size() == 3);
  }
}
