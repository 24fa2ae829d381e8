#include "server/auth/control_body.hpp"

#include <catch2/catch.hpp>

using namespace cameleer;
using server::ControlBody;

namespace {

web::Request with(std::string body) {
  web::Request request;
  request.body = std::move(body);
  request.body.reserve(request.body.size() + 64);
  return request;
}

}  // namespace

TEST_CASE("a broken rule is named with its member") {
  struct Row {
    std::string body;
    ErrorCode code;
    std::string member;
  };
  using enum ErrorCode;
  const Row rows[] = {
      {"", malformed_body, ""},
      {"{", malformed_body, ""},
      {"[]", malformed_body, ""},
      {"null", malformed_body, ""},
      {"{} {}", malformed_body, ""},
      {"{\"name\":\"\xff\"}", malformed_body, ""},
      {std::string("{\"name\":\"a\0\"}", 13), malformed_body, ""},
      {std::string(10'000, '['), malformed_body, ""},
      {R"({"name":)" + std::string(10'000, '[') + std::string(10'000, ']') + "}", malformed_body, ""},
      {R"({"x":)" + std::string(64, '[') + std::string(64, ']') + "}", malformed_body, ""},
      {"{}", invalid_member, "/name"},
      {R"({"name":7})", invalid_member, "/name"},
      {R"({"name":""})", invalid_member, "/name"},
      {R"({"name":"  "})", invalid_member, "/name"},
      {R"({"name":"123456789"})", invalid_member, "/name"},
      {R"({"name":"a\u0000b"})", invalid_member, "/name"},
      {R"({"name":"a","name":"b"})", invalid_member, "/name"},
      {R"({"name":"a","other":{"x":[{"y":1,"y":2}]}})", invalid_member, "/other/x/0/y"},
      {R"({"name":"a","list":{}})", invalid_member, "/list"},
      {R"({"name":"a","list":["x",7]})", invalid_member, "/list/1"},
      {R"({"name":"a","list":["x",""]})", invalid_member, "/list/1"},
      {R"({"name":"a","list":["1","2","3","4"]})", invalid_member, "/list"},
      {R"({"name":"a","map":{"k":1}})", invalid_member, "/map/k"},
      {R"({"name":"a","map":{"a/b~":1}})", invalid_member, "/map/a~1b~0"},
      {R"({"name":"a","object":[]})", invalid_member, "/object"},
      {R"({"name":"a","object":{"x":"\u0000"}})", invalid_member, "/object"},
      {R"({"name":"a","object":{"x":"012345678901234567890"}})", invalid_member, "/object"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.body.substr(0, 80));
    const auto request = with(row.body);
    ControlBody body(request);
    (void)body.text("name", 1, 8);
    (void)body.texts("list", 3, 8);
    (void)body.text_map("map", 3, 8);
    (void)body.object("object", 20);
    REQUIRE(body.failure());
    CHECK(body.failure()->code == row.code);
    CHECK(body.failure()->member == row.member);
  }
}

TEST_CASE("good members are read, absent and null ones are absent") {
  const auto request =
      with(R"({"name":"\u00e4","list":["a","b"],"map":{"k":"v"},"object":{"x": [1, 2]},"none":null,"new":1})");
  ControlBody body(request);
  CHECK(body.text("name", 1, 8) == "\xc3\xa4");
  CHECK(body.texts("list", 3, 8) == std::vector<std::string>{"a", "b"});
  CHECK(body.text_map("map", 3, 8)->at("k") == "v");
  CHECK(body.object("object", 20) == R"({"x":[1,2]})");
  CHECK_FALSE(body.optional_text("none", 1, 8));
  CHECK_FALSE(body.optional_text("absent", 1, 8));
  CHECK_FALSE(body.failure());

  const auto nothing = with("");
  ControlBody empty(nothing, ControlBody::Empty::allowed);
  CHECK_FALSE(empty.optional_text("name", 1, 8));
  CHECK_FALSE(empty.failure());
}
