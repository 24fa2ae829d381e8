#include <algorithm>
#include <cameleer/minting/secret_bytes.hpp>
#include <catch2/catch.hpp>

using cameleer::minting::SecretBytes;

namespace {

bool all_zero(const unsigned char* from, std::size_t count) {
  return std::all_of(from, from + count, [](unsigned char byte) { return byte == 0; });
}

}  // namespace

TEST_CASE("what is forgotten is zero: cut off, or wiped") {
  SecretBytes bytes(std::string_view("a secret"));
  CHECK(bytes.text() == "a secret");
  const auto* memory = bytes.data();  // the vector keeps its memory when it gets shorter
  bytes.shrink(1);
  CHECK(bytes.text() == "a");
  CHECK(all_zero(memory + 1, 7));
  bytes.shrink(10);
  CHECK(bytes.size() == 1);
  bytes.wipe();
  CHECK(bytes.size() == 0);
  CHECK(all_zero(memory, 8));
}

TEST_CASE("moving leaves no copy") {
  SecretBytes bytes(std::string_view("secret"));
  const auto* memory = bytes.data();
  SecretBytes moved = std::move(bytes);
  CHECK(moved.data() == memory);
  CHECK(moved.text() == "secret");
  moved = SecretBytes(std::string_view("other"));
  CHECK(moved.text() == "other");
}
