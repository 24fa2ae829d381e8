#include <cameleer/minting/secret_bytes.hpp>
#include <catch2/catch.hpp>

using cameleer::minting::SecretBytes;

TEST_CASE("wiping forgets the content, and shrinking keeps the front") {
  SecretBytes bytes(std::string_view("a secret"));
  CHECK(bytes.text() == "a secret");
  const auto* memory = bytes.data();
  bytes.shrink(1);
  CHECK(bytes.text() == "a");
  bytes.shrink(10);
  CHECK(bytes.size() == 1);
  bytes.wipe();
  CHECK(bytes.size() == 0);
  CHECK(bytes.data() == memory);  // the same memory: nothing was copied on the way
}

TEST_CASE("what is cut off is zero before it is forgotten") {
  SecretBytes bytes(std::string_view("secret"));
  auto* memory = bytes.data();
  bytes.shrink(2);
  SecretBytes moved = std::move(bytes);
  CHECK(moved.data() == memory);
  CHECK(moved.text() == "se");
  moved = SecretBytes(std::string_view("other"));
  CHECK(moved.text() == "other");
}
