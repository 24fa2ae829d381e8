#include "agent-sim/comparison.hpp"

#include <catch2/catch.hpp>

using namespace cameleer;
using namespace cameleer::sim;

namespace {

Record record(std::uint64_t number) {
  return {bits_of(1, 2, number), instant_of(static_cast<std::int64_t>(number)), 'C', 5, number * 3};
}
Seen shown(const Record& record) {
  return {record.id, record.start, record.status, record.processors};
}

struct Case {
  const char* name;
  void (*show)(Comparison& comparison, std::vector<Seen> rows);
  Difference found;
};

// Each shows ten acknowledged executions with one thing wrong.
const Case kCases[] = {
    {"one is not there",
     [](Comparison& c, std::vector<Seen> rows) {
       rows.erase(rows.begin() + 4);
       for (const auto& row : rows) c.seen(row);
     },
     Difference::missing},
    {"one is there twice",
     [](Comparison& c, std::vector<Seen> rows) {
       rows.push_back(rows[4]);
       for (const auto& row : rows) c.seen(row);
     },
     Difference::doubled},
    {"one started at another time",
     [](Comparison& c, std::vector<Seen> rows) {
       rows[4].start += std::chrono::milliseconds(1);
       for (const auto& row : rows) c.seen(row);
     },
     Difference::wrong_start},
    {"one has another status",
     [](Comparison& c, std::vector<Seen> rows) {
       rows[4].status = 'F';
       for (const auto& row : rows) c.seen(row);
     },
     Difference::wrong_status},
    {"one lacks a processor",
     [](Comparison& c, std::vector<Seen> rows) {
       rows[4].processors = 4;
       for (const auto& row : rows) c.seen(row);
     },
     Difference::wrong_processors},
    {"one has other content",
     [](Comparison& c, std::vector<Seen> rows) {
       for (const auto& row : rows) c.seen(row);
       c.content(rows[4].id, 999, 5);
     },
     Difference::wrong_content},
    {"one has fewer processors in its details than in the list",
     [](Comparison& c, std::vector<Seen> rows) {
       for (const auto& row : rows) c.seen(row);
       c.content(rows[4].id, record(4).checksum, 3);
     },
     Difference::wrong_processors},
    {"one was never acknowledged",
     [](Comparison& c, std::vector<Seen> rows) {
       rows.push_back(shown(record(77)));
       for (const auto& row : rows) c.seen(row);
     },
     Difference::unexpected},
    {"one has an id of another kind",
     [](Comparison& c, std::vector<Seen> rows) {
       for (const auto& row : rows) c.seen(row);
       c.unexpected("something");
     },
     Difference::unexpected},
};

}  // namespace

TEST_CASE("each kind of difference is found, alone and by its name") {
  for (const auto& test : kCases) {
    INFO(test.name);
    Comparison comparison;
    std::vector<Seen> rows;
    for (std::uint64_t i = 0; i < 10; ++i) {
      comparison.expect(record(i));
      rows.push_back(shown(record(i)));
    }
    comparison.settle();
    test.show(comparison, rows);
    comparison.finish();
    CHECK(comparison.total() == 1);
    CHECK(comparison.count(test.found) == 1);
    CHECK(comparison.examples(test.found).size() == 1);
  }
}

TEST_CASE("a server that shows all once is right, also about what nobody answered for") {
  for (const bool unknown_is_there : {false, true}) {
    Comparison comparison;
    for (std::uint64_t i = 0; i < 100; ++i) comparison.expect(record(i));
    comparison.expect(record(3));  // two lines about one execution
    comparison.tolerate(record(5));
    comparison.tolerate(record(200));
    comparison.settle();
    for (std::uint64_t i = 0; i < 100; ++i) comparison.seen(shown(record(i)));
    if (unknown_is_there) comparison.seen(shown(record(200)));
    comparison.content(record(8).id, record(8).checksum, 5);
    comparison.finish();
    CHECK(comparison.total() == 0);
    CHECK(comparison.expected() == 100);
    CHECK(comparison.tolerated() == 1);
    CHECK(comparison.found() == 100);
  }
}

TEST_CASE("an unknown one that shows twice is doubled") {
  Comparison comparison;
  comparison.tolerate(record(1));
  comparison.settle();
  comparison.seen(shown(record(1)));
  comparison.seen(shown(record(1)));
  comparison.finish();
  CHECK(comparison.count(Difference::doubled) == 1);
}
