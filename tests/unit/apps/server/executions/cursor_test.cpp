#include "server/executions/cursor.hpp"

#include <catch2/catch.hpp>

using namespace cameleer;
using namespace cameleer::server;

namespace {

const std::vector<std::byte> kKey(32, std::byte{7});

Cursor example() {
  return {instant_of(1), instant_of(2), instant_of(3), instant_of(4), instant_of(5), "id|with|bars", 10'000, true};
}

}  // namespace

TEST_CASE("a cursor comes back as it was") {
  CHECK(open_cursor(seal_cursor(example(), "t/e/f", kKey), "t/e/f", kKey).value() == example());
}

TEST_CASE("a cursor that was not given for this search is refused by its name") {
  const auto good = seal_cursor(example(), "t/e/f", kKey);
  const std::vector<std::byte> other_key(32, std::byte{8});
  const auto refused = [](const Expected<Cursor>& opened) {
    return !opened && opened.error().code == ErrorCode::invalid_parameter && opened.error().member == "cursor";
  };
  CHECK(refused(open_cursor(good, "t/e/g", kKey)));
  CHECK(refused(open_cursor(good, "t/e/f", other_key)));
  CHECK(refused(open_cursor("", "t/e/f", kKey)));
  CHECK(refused(open_cursor("abc", "t/e/f", kKey)));
  CHECK(refused(open_cursor("!!!!", "t/e/f", kKey)));
  CHECK(refused(open_cursor(good + "=", "t/e/f", kKey)));
  CHECK(refused(open_cursor(std::string(5000, 'A'), "t/e/f", kKey)));
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto changed = good;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    CAPTURE(i);
    CHECK(refused(open_cursor(changed, "t/e/f", kKey)));
    CHECK(refused(open_cursor(good.substr(0, i), "t/e/f", kKey)));
  }
}
