#include "server/ingest/json_views.hpp"

#include <catch2/catch.hpp>

using namespace cameleer;
using namespace cameleer::server;

namespace {

struct Record {
  InstantReader instants;
  std::optional<Instant> time;
  std::string_view name;
  MapView map;
};
using Element = JsonMembers::Element;
using Name = std::string_view;

constexpr MemberRule<Record> kRules[] = {
    {"time", [](JsonMembers& m, Name n, Element v, Record& r) { return r.instants.read(m, n, v, r.time); }},
    {"name", [](JsonMembers& m, Name n, Element v, Record& r) { return read_name(m, n, v, r.name, 3); }},
    {"map", [](JsonMembers& m, Name n, Element v, Record& r) { return read_map(m, n, v, 2, r.map); }},
};
constexpr MemberTable<Record> kTable(kRules);

// Reads members into the record; the place and rule of the first wrong one.
std::string read(simdjson::dom::parser& parser, std::string_view json, Record& into) {
  JsonMembers members;
  const simdjson::dom::object object = parser.parse(json.data(), json.size());
  return read_members(members, object, kTable, into) ? "" : members.error->member;
}

}  // namespace

TEST_CASE("instants of a known minute are read as all others are") {
  simdjson::dom::parser parser;
  for (const std::string_view first :
       {"2026-11-22T01:02:03.456Z", "2026-11-22T01:02:59.999Z", "1970-01-01T00:00:00.000Z"}) {
    Record record;
    REQUIRE(read(parser, R"({"time":")" + std::string(first) + "\"}", record).empty());
    CHECK(record.time == parse_instant(first));
    const auto minute = std::string(first.substr(0, 17));
    for (const auto* rest : {"00.000Z", "59.999Z", "60.000Z", "07.120Z", "7.0000Z", "0a.000Z", "00.00aZ", "00.000z",
                             "00,000Z", "00.000+", "00Z", "00.000+01:00", "00.0000Z", "-1.000Z", "00.000Z "}) {
      CAPTURE(minute + rest);
      record.time.reset();
      const auto expected = parse_instant(minute + rest);
      CHECK(read(parser, "{\"time\":\"" + minute + rest + "\"}", record) == (expected ? "" : "/time"));
      CHECK(record.time == expected);
    }
  }
}

TEST_CASE("members are found in any order, the last of a name counts, and null counts as absent") {
  simdjson::dom::parser parser;
  Record record;
  CHECK(
      read(parser, R"({"":1,"map":{"a":"1","b":null,"c":"2"},"name":"x","other":[{}],"name":"y","name":null})", record)
          .empty());
  CHECK(record.name == "y");
  std::vector<std::pair<std::string, std::string>> entries;
  record.map.each([&](Name name, Name value) { return entries.emplace_back(name, value), true; });
  CHECK(entries == std::vector<std::pair<std::string, std::string>>{{"a", "1"}, {"c", "2"}});
  CHECK(read(parser, R"({"map":{}})", record).empty());
  CHECK(record.map.empty());
}

TEST_CASE("what is no name, map or instant is refused with its place") {
  struct Row {
    const char *json, *member;
  };
  const Row rows[] = {
      {R"({"name":7})", "/name"},
      {R"({"name":"abcd"})", "/name"},
      {R"({"name":"a\u0000"})", "/name"},
      {R"({"map":[]})", "/map"},
      {R"({"map":{"a":"1","b":2}})", "/map/b"},
      {R"({"map":{"a":"1","b":"2","c":"3"}})", "/map"},
      {R"({"time":7})", "/time"},
      {R"({"time":""})", "/time"},
  };
  simdjson::dom::parser parser;
  for (const auto& row : rows) {
    CAPTURE(row.json);
    Record record;
    CHECK(read(parser, row.json, record) == row.member);
  }
  Record record;
  CHECK(read(parser, R"({"name":"€€€"})", record).empty());
}
