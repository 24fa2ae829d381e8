#include "decode_fixture.hpp"

using namespace cameleer;
using namespace cameleer::server;
using namespace cameleer::test;

namespace {

std::string step(std::string_view more) {
  return R"({"processorId":"p","processorType":"log","status":"COMPLETED","startTime":"2026-11-22T01:02:03Z")" +
         std::string(more) + "}";
}

std::string chunk(std::string_view exchange_more = "", std::string_view more = R"("chunkSeq":0)") {
  return R"({"exchange":{"executionId":"e1","exchangeId":"x1","routeId":"r1","status":"RUNNING",)"
         R"("startTime":"2026-11-22T01:02:03.456Z")" +
         std::string(exchange_more) + "}," + std::string(more) + "}";
}

std::string with_steps(const std::string& steps) {
  return chunk("", R"("chunkSeq":1,"processors":[)" + steps + "]");
}

}  // namespace

TEST_CASE("a wrong chunk is refused with the place and the rule") {
  check_common_refusals(decode_chunks, chunk(), DecodeRules::max_elements);
  constexpr auto invalid = ErrorCode::invalid_member;
  const Refusal rows[] = {
      {"no exchange", R"({"chunkSeq":0})", invalid, "/exchange"},
      {"an exchange that is null", R"({"chunkSeq":0,"exchange":null})", invalid, "/exchange"},
      {"an exchange that is a text", R"({"chunkSeq":0,"exchange":"x"})", invalid, "/exchange"},
      {"an exchange without id", R"([{"chunkSeq":0,"exchange":{}}])", invalid, "/0/exchange/executionId"},
      {"no number", chunk("", R"("final":false)"), invalid, "/chunkSeq"},
      {"a negative number", chunk("", R"("chunkSeq":-1)"), invalid, "/chunkSeq"},
      {"a number beyond measure", chunk("", R"("chunkSeq":2147483648)"), invalid, "/chunkSeq"},
      {"a number in text", chunk("", R"("chunkSeq":"1")"), invalid, "/chunkSeq"},
      {"final in text", chunk("", R"("chunkSeq":1,"final":"yes")"), invalid, "/final"},
      {"final while running", chunk("", R"("chunkSeq":1,"final":true)"), invalid, "/final"},
      {"processors in the exchange", chunk(",\"processorExecutions\":[" + step("") + "]"), invalid,
       "/exchange/processorExecutions"},
      {"processors that are an object", chunk("", R"("chunkSeq":1,"processors":{})"), invalid, "/processors"},
      {"a processor without a place", with_steps(step(R"(,"seq":1)") + "," + step("")), invalid, "/processors/1/seq"},
      {"two processors of one place", with_steps(step(R"(,"seq":1)") + "," + step(R"(,"seq":1)")), invalid,
       "/processors/1/seq"},
      {"nested processors", with_steps(step(R"(,"seq":1,"children":[)" + step(R"(,"seq":2)") + "]")), invalid,
       "/processors/0/children"},
      {"a processor of an odd shape", with_steps("7"), invalid, "/processors/0"},
  };
  check_refusals(decode_chunks, rows);
}

TEST_CASE("a chunk gives its execution and its processors, each with the place that the agent gave") {
  const auto decoded = decode_chunks(
      with_steps(step(R"(,"seq":7,"parentSeq":3)") + "," + step(R"(,"seq":8,"children":[])")), rules(), context());
  REQUIRE(decoded.has_value());
  CHECK(decoded->accepted == 1);
  REQUIRE(decoded->rows.parts.size() == 2);
  CHECK(decoded->rows.parts[0].table == "processor_executions");
  CHECK(decoded->rows.parts[0].rows == 2);
  CHECK(decoded->rows.parts[1].table == "executions");
  CHECK(decoded->rows.parts[1].rows == 1);
  CHECK(decoded->routes.routes().contains({"orders", "r1"}));
}

TEST_CASE("a chunk may end its execution, and end it without being the last") {
  const std::string ended = R"(,"status":"COMPLETED")";
  CHECK(decode_chunks(chunk(ended, R"("chunkSeq":3,"final":true)"), rules(), context()).has_value());
  CHECK(decode_chunks(chunk(ended, R"("chunkSeq":3,"final":false)"), rules(), context()).has_value());
  CHECK(decode_chunks(chunk("", R"("chunkSeq":3,"final":null,"processors":null)"), rules(), context()).has_value());
}

TEST_CASE("chunks hold no secret and are refused alone outside the time range") {
  const auto decoded = decode_chunks(
      "[" +
          chunk(R"(,"inputHeaders":{"cookie":"s3cr3t"})",
                R"("chunkSeq":0,"processors":[)" + step(R"(,"seq":0,"inputBody":"{\"Cookie\":\"s3cr3t\"}")") + "]") +
          "," + chunk(R"(,"startTime":"2026-01-01T00:00:00Z")") + "]",
      rules(), context());
  REQUIRE(decoded.has_value());
  CHECK(decoded->accepted == 1);
  REQUIRE(decoded->rejected.size() == 1);
  CHECK(decoded->rejected[0].index == 1);
  CHECK(decoded->rejected[0].reason == "too_old");
  for (const auto& part : decoded->rows.parts) CHECK(part.body.find("s3cr3t") == std::string::npos);
}
