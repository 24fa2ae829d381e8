#include "server/server_metrics/series_query.hpp"

#include <catch2/catch.hpp>

using namespace cameleer;
using namespace cameleer::server;
using namespace std::chrono_literals;

namespace {

using Query = std::vector<std::pair<std::string, std::string>>;

const auto kNow = *parse_instant("2026-11-22T12:00:00Z");

web::Request with(Query query) {
  web::Request request;
  request.query = std::move(query);
  return request;
}

Expected<SeriesQuery> read(Query query) {
  return read_series_query(with(std::move(query)), kNow, 30s);
}

}  // namespace

TEST_CASE("a name alone asks for the last hour, in steps that all have a sample") {
  const auto query = read({{"name", "a_total"}});
  REQUIRE(query.has_value());
  CHECK(query->name == "a_total");
  CHECK(query->to == kNow);
  CHECK(query->from == kNow - 1h);
  CHECK(query->step == 30s);
  CHECK(query->value == SampleValue::avg);
}

TEST_CASE("every parameter is read") {
  const auto query = read({{"name", "a"},
                           {"from", "2026-11-21T00:00:07Z"},
                           {"to", "2026-11-22T00:00:00Z"},
                           {"step", "60"},
                           {"value", "rate"},
                           {"label", "kind=logs"},
                           {"label", "reason=a=b"},
                           {"label", "kind="},
                           {"instanceId", "one:8081"}});
  REQUIRE(query.has_value());
  CHECK(query->from == *parse_instant("2026-11-21T00:00:00Z"));
  CHECK(query->step == 60s);
  CHECK(query->value == SampleValue::rate);
  CHECK(query->labels == Query{{"kind", "logs"}, {"reason", "a=b"}, {"kind", ""}});
  CHECK(query->instances == std::vector<std::string>{"one:8081"});
}

TEST_CASE("31 days may be asked for, in steps of their own") {
  const auto query = read({{"name", "a"}, {"from", "2026-10-22T12:00:00Z"}});
  REQUIRE(query.has_value());
  CHECK((query->to - query->from) / query->step <= 300);
}

TEST_CASE("a wrong parameter is named") {
  struct Row {
    const char* member;
    Query query;
  };
  Query many{{"name", "a"}};
  for (int i = 0; i < 21; ++i) many.emplace_back("label", "a=b");
  const std::vector<Row> rows{
      {"name", {}},
      {"name", {{"name", ""}}},
      {"name", {{"name", "a b"}}},
      {"name", {{"name", "1a"}}},
      {"name", {{"name", std::string(257, 'a')}}},
      {"name", {{"name", std::string("a\0b", 3)}}},
      {"name", {{"name", "a"}, {"name", "a"}}},
      {"from", {{"name", "a"}, {"from", "yesterday"}}},
      {"from", {{"name", "a"}, {"from", "2026-11-22T12:00:00Z"}}},
      {"from", {{"name", "a"}, {"from", "2026-10-22T11:59:59.999Z"}}},
      {"to", {{"name", "a"}, {"to", "2026-11-22"}}},
      {"to", {{"name", "a"}, {"to", "1970-01-01T00:00:00Z"}}},
      {"step", {{"name", "a"}, {"step", "0"}}},
      {"step", {{"name", "a"}, {"step", "-1"}}},
      {"step", {{"name", "a"}, {"step", "1.5"}}},
      {"step", {{"name", "a"}, {"step", "99999999999999999999"}}},
      {"step", {{"name", "a"}, {"step", "2"}}},
      {"value", {{"name", "a"}, {"value", "p99"}}},
      {"label", {{"name", "a"}, {"label", "kind"}}},
      {"label", {{"name", "a"}, {"label", "=x"}}},
      {"label", {{"name", "a"}, {"label", "a'b=x"}}},
      {"label", {{"name", "a"}, {"label", std::string("a=\0", 3)}}},
      {"label", {{"name", "a"}, {"label", "a=" + std::string(257, 'x')}}},
      {"label", many},
      {"instanceId", {{"name", "a"}, {"instanceId", ""}}},
      {"environment", {{"name", "a"}, {"environment", "default"}}},
  };
  for (const auto& [member, query] : rows) {
    const auto read_query = read(query);
    INFO(member);
    REQUIRE_FALSE(read_query.has_value());
    CHECK(read_query.error().code == ErrorCode::invalid_parameter);
    CHECK(read_query.error().member == member);
  }
}

TEST_CASE("a range alone takes nothing else") {
  const auto range = read_series_range(with({{"from", "2026-11-22T00:00:00Z"}}), kNow);
  REQUIRE(range.has_value());
  CHECK(range->to - range->from == 12h);
  CHECK_FALSE(read_series_range(with({{"name", "a"}}), kNow).has_value());
}
