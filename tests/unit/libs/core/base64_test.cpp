#include <cameleer/core/base64.hpp>
#include <catch2/catch.hpp>

using namespace cameleer;

TEST_CASE("base64 gives the vectors of RFC 4648, padded or for URLs, and reads them back") {
  struct Row {
    std::string bytes, padded, url;
  };
  const Row rows[] = {{"", "", ""},
                      {"f", "Zg==", "Zg"},
                      {"fo", "Zm8=", "Zm8"},
                      {"foo", "Zm9v", "Zm9v"},
                      {"foob", "Zm9vYg==", "Zm9vYg"},
                      {"fooba", "Zm9vYmE=", "Zm9vYmE"},
                      {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
                      {"\xff\xfe\xfd", "//79", "__79"}};
  for (const auto& row : rows) {
    CHECK(base64(row.bytes) == row.padded);
    CHECK(decode_base64(row.padded) == row.bytes);
    CHECK(base64url(row.bytes) == row.url);
    CHECK(decode_base64url(row.url) == row.bytes);
  }
}

TEST_CASE("there is one spelling of some bytes, and no other is read") {
  for (const std::string text : {"Zg==", "Zh", "Zm9", "Zm8=", "Z", "Zm9v\n", " Zm9v", "+/79", "Zm\xc3\xb6"}) {
    CAPTURE(text);
    CHECK_FALSE(decode_base64url(text));
  }
  for (const std::string text : {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "__79", "Zm9v=", "Z===", "====", "=",
                                 "Zm9v====", "Zg==Zg==", "Zm9v\n", " Zm9v", "Zm 9"}) {
    CAPTURE(text);
    CHECK_FALSE(decode_base64(text));
  }
}
