#include "server/executions/search_parameters.hpp"

#include <catch2/catch.hpp>

using namespace cameleer;
using namespace cameleer::server;

namespace {

using Query = std::vector<std::pair<std::string, std::string>>;

web::Request with(Query query) {
  web::Request request;
  request.query = std::move(query);
  return request;
}

}  // namespace

TEST_CASE("every filter is read") {
  const auto search = read_search(with({{"status", "FAILED"},
                                        {"status", "RUNNING"},
                                        {"from", "2026-11-22T00:00:00Z"},
                                        {"to", "2026-11-22T01:00:00+01:00"},
                                        {"durationMin", "1"},
                                        {"durationMax", "20"},
                                        {"application", "a"},
                                        {"application", "b"},
                                        {"routeId", "r"},
                                        {"instanceId", "i"},
                                        {"correlationId", "c"},
                                        {"exchangeId", "x"},
                                        {"text", "t"},
                                        {"attribute", "k=v"},
                                        {"attribute", "l=w"},
                                        {"textInErrors", "e"},
                                        {"textInHeaders", "h"},
                                        {"limit", "7"},
                                        {"cursor", "q"}}));
  REQUIRE(search.has_value());
  const auto& filter = search->filter;
  CHECK(filter.statuses == std::vector<std::string>{"FAILED", "RUNNING"});
  CHECK(filter.from == filter.to);
  CHECK(filter.duration_min_ms == 1);
  CHECK(filter.duration_max_ms == 20);
  CHECK(filter.applications == std::vector<std::string>{"a", "b"});
  CHECK(filter.route_ids == std::vector<std::string>{"r"});
  CHECK(filter.instance_ids == std::vector<std::string>{"i"});
  CHECK(filter.correlation_id == "c");
  CHECK(filter.exchange_id == "x");
  CHECK(filter.text == "t");
  CHECK(filter.attributes == std::vector<std::string>{"k=v", "l=w"});
  CHECK(filter.error_words == "e");
  CHECK(filter.header_words == "h");
  CHECK(filter.limit == 7);
  CHECK(search->cursor == "q");
}

TEST_CASE("a wrong parameter is named") {
  struct Row {
    const char* member;
    Query query;
  };
  const Row rows[] = {
      {"colour", {{"colour", "red"}}},
      {"Status", {{"Status", "FAILED"}}},
      {"from", {{"from", "yesterday"}}},
      {"from", {{"from", "2026-11-22"}}},
      {"to", {{"to", ""}}},
      {"to", {{"to", "2026-11-22T00:00:00Z"}, {"to", "2026-11-22T00:00:00Z"}}},
      {"durationMin", {{"durationMin", "-1"}}},
      {"durationMin", {{"durationMin", "1.5"}}},
      {"durationMax", {{"durationMax", "99999999999999999999"}}},
      {"durationMax", {{"durationMax", ""}}},
      {"limit", {{"limit", "ten"}}},
      {"limit", {{"limit", " 1"}}},
      {"limit", {{"limit", "+1"}}},
      {"cursor", {{"cursor", ""}}},
      {"text", {{"text", ""}}},
      {"textInErrors", {{"textInErrors", ""}}},
      {"correlationId", {{"correlationId", "a"}, {"correlationId", "b"}}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.member, row.query.front().second);
    const auto search = read_search(with(row.query));
    REQUIRE_FALSE(search.has_value());
    CHECK(search.error().code == ErrorCode::invalid_parameter);
    CHECK(search.error().member == row.member);
  }
}

TEST_CASE("a limit beyond all numbers is still over the limit") {
  auto search = read_search(with({{"limit", "4294967297"}}));
  REQUIRE(search.has_value());
  CHECK_FALSE(settle(search->filter, instant_of(1'800'000'000'000)).has_value());
}

TEST_CASE("the detail takes a hint and nothing else") {
  CHECK(read_at(with({})).value() == std::nullopt);
  CHECK(read_at(with({{"at", "2026-11-22T00:00:00Z"}})).value().has_value());
  CHECK(read_at(with({{"at", "x"}})).error().member == "at");
  CHECK(read_at(with({{"at", "2026-11-22T00:00:00Z"}, {"at", "2026-11-22T00:00:00Z"}})).error().member == "at");
  CHECK(read_at(with({{"when", "x"}})).error().member == "when");
}
