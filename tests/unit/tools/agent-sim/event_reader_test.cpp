#include "agent-sim/event_reader.hpp"

#include <catch2/catch.hpp>
#include <vector>

using namespace cameleer::sim;

namespace {

std::vector<StreamEvent> read_in_pieces(std::string_view text, std::size_t size) {
  EventReader reader;
  std::vector<StreamEvent> events;
  for (; !text.empty(); text.remove_prefix(std::min(size, text.size()))) {
    reader.feed(text.substr(0, size));
    while (auto event = reader.take()) events.push_back(*event);
  }
  return events;
}

}  // namespace

TEST_CASE("events and comments are read in order, from pieces of any size") {
  constexpr std::string_view text =
      ": hello\n\nevent: route-control\nid: c1\ndata: {\"a\":1}\n\ndata: one\r\ndata: two\r\n\r\nid: "
      "lost\n\n:\ndata:tight\n\n";
  const std::vector<StreamEvent> expected{{"", "", " hello", true},
                                          {"route-control", "c1", "{\"a\":1}"},
                                          {"", "", "one\ntwo"},
                                          {"", "", "", true},
                                          {"", "", "tight"}};
  for (std::size_t size = 1; size <= text.size(); ++size) CHECK(read_in_pieces(text, size) == expected);
}

TEST_CASE("an unfinished event is no event, and one without end does not fill the memory") {
  CHECK(read_in_pieces("event: a\ndata: b\n", 4).empty());
  EventReader reader;
  const std::string piece(1 << 20, 'x');
  reader.feed("data: ");
  for (int i = 0; i < 8; ++i) reader.feed(piece);
  reader.feed("\n\ndata: next\n\n");
  std::optional<StreamEvent> last;
  while (auto event = reader.take()) last = event;
  REQUIRE(last);
  CHECK(last->data == "next");
}
