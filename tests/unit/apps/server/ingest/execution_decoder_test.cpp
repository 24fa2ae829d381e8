#include "decode_fixture.hpp"
#include "server/ingest/execution_records.hpp"

using namespace cameleer;
using namespace cameleer::server;
using namespace cameleer::test;

namespace {

const std::string kStep =
    R"({"processorId":"p","processorType":"log","status":"COMPLETED","startTime":"2026-11-22T01:02:03Z"})";

// A right execution whose members end with `more`.
std::string execution(std::string_view more = "") {
  std::string text =
      R"({"executionId":"e1","exchangeId":"x1","routeId":"r1","status":"COMPLETED","startTime":"2026-11-22T01:02:03.456Z")";
  if (!more.empty()) text.append(",").append(more);
  return text + "}";
}

std::string with_steps(std::string_view steps) {
  return execution("\"processorExecutions\":[" + std::string(steps) + "]");
}

std::string step(std::string_view more) {
  return kStep.substr(0, kStep.size() - 1) + "," + std::string(more) + "}";
}

std::string without(std::string_view member) {
  auto text = execution();
  const auto at = text.find("\"" + std::string(member) + "\"");
  const auto end = text.find_first_of(",}", at);
  return text.erase(at, end - at + (text[end] == ',' ? 1 : 0)).replace(text.size() - 1, 1, "}");
}

}  // namespace

TEST_CASE("a wrong body is refused with the place and the rule") {
  struct Row {
    const char* what;
    std::string body;
    ErrorCode code;
    std::string member;
  };
  constexpr auto malformed = ErrorCode::malformed_body;
  constexpr auto invalid = ErrorCode::invalid_member;
  const std::string too_long(257, 'x');
  const Row rows[] = {
      {"nothing", "", malformed, ""},
      {"space", "  ", malformed, ""},
      {"text", "hello", malformed, ""},
      {"cut", execution().substr(0, 50), malformed, ""},
      {"trailing text", execution() + "x", malformed, ""},
      {"two documents", execution() + execution(), malformed, ""},
      {"comma too many", "[" + execution() + ",]", malformed, ""},
      {"single quotes", "{'executionId':'x'}", malformed, ""},
      {"bad UTF-8 in a value", execution("\"inputBody\":\"\xFF\""), malformed, ""},
      {"bad UTF-8 in a member that nobody reads", execution("\"unknown\":{\"a\":[\"\xC3\x28\"]}"), malformed, ""},
      {"an overlong form", execution("\"inputBody\":\"\xC0\x80\""), malformed, ""},
      {"a surrogate in UTF-8", execution("\"inputBody\":\"\xED\xA0\x80\""), malformed, ""},
      {"broken syntax in a member that nobody reads", execution("\"unknown\":[1 2}"), malformed, ""},
      {"a raw NUL", execution(std::string("\"inputBody\":\"a\0b\"", 17)), malformed, ""},
      {"a raw newline in a string", execution("\"inputBody\":\"a\nb\""), malformed, ""},
      {"nested 10,000 deep", repeated("[", 10'000) + repeated("]", 10'000), malformed, ""},
      {"nested 10,000 deep in a member that nobody reads",
       execution("\"unknown\":" + repeated("[", 10'000) + repeated("]", 10'000)), malformed, ""},
      {"10,000 children deep", with_steps(repeated(R"({"children":[)", 10'000) + repeated("]}", 10'000)), malformed,
       ""},
      {"a number", "1", invalid, ""},
      {"a string", "\"x\"", invalid, ""},
      {"null", "null", invalid, ""},
      {"an array of numbers", "[1]", invalid, "/0"},
      {"an array in an array", "[[]]", invalid, "/0"},
      {"the second element", "[" + execution() + ",{}]", invalid, "/1/executionId"},
      {"no execution id", without("executionId"), invalid, "/executionId"},
      {"no exchange id", without("exchangeId"), invalid, "/exchangeId"},
      {"no route", without("routeId"), invalid, "/routeId"},
      {"no status", without("status"), invalid, "/status"},
      {"empty id", execution(R"("executionId":"")"), invalid, "/executionId"},
      {"an id that is a number", execution(R"("executionId":7)"), invalid, "/executionId"},
      {"an id with NUL", execution(R"("executionId":"a\u0000b")"), invalid, "/executionId"},
      {"a correlation id with NUL", execution(R"("correlationId":"\u0000")"), invalid, "/correlationId"},
      {"a long id", execution("\"exchangeId\":\"" + too_long + "\""), invalid, "/exchangeId"},
      {"a status that is a list", execution(R"("status":["FAILED"])"), invalid, "/status"},
      {"a long status", execution("\"status\":\"" + std::string(33, 'S') + "\""), invalid, "/status"},
      {"a start that is a number", execution(R"("startTime":1795309323456)"), invalid, "/startTime"},
      {"a start without offset", execution(R"("startTime":"2026-11-22T01:02:03")"), invalid, "/startTime"},
      {"an end that is no date", execution(R"("endTime":"2026-02-30T00:00:00Z")"), invalid, "/endTime"},
      {"a negative duration", execution(R"("durationMs":-1)"), invalid, "/durationMs"},
      {"a fraction", execution(R"("durationMs":1.5)"), invalid, "/durationMs"},
      {"a duration in text", execution(R"("durationMs":"1")"), invalid, "/durationMs"},
      {"a duration beyond measure", execution(R"("durationMs":18446744073709551615)"), invalid, "/durationMs"},
      {"a body that is an object", execution(R"("inputBody":{})"), invalid, "/inputBody"},
      {"headers that are a list", execution(R"("inputHeaders":[])"), invalid, "/inputHeaders"},
      {"a header that is a number", execution(R"("inputHeaders":{"a/b~c":1})"), invalid, "/inputHeaders/a~1b~0c"},
      {"too many headers",
       execution("\"attributes\":{" +
                 [] {
                   std::string text;
                   for (int i = 0; i <= 1000; ++i) text += (i ? ",\"k" : "\"k") + std::to_string(i) + "\":\"v\"";
                   return text;
                 }() +
                 "}"),
       invalid, "/attributes"},
      {"processors that are an object", execution(R"("processorExecutions":{})"), invalid, "/processorExecutions"},
      {"a processor that is null", with_steps("null"), invalid, "/processorExecutions/0"},
      {"a processor without type", with_steps(kStep + R"(,{"processorId":"p"})"), invalid,
       "/processorExecutions/1/processorType"},
      {"a processor's time", "[" + execution() + "," + with_steps(step(R"("startTime":"x")")) + "]", invalid,
       "/1/processorExecutions/0/startTime"},
      {"a processor's place", with_steps(step(R"("seq":-1)")), invalid, "/processorExecutions/0/seq"},
      {"a place beyond measure", with_steps(step(R"("parentSeq":4294967296)")), invalid,
       "/processorExecutions/0/parentSeq"},
      {"an index in text", with_steps(step(R"("splitIndex":"1")")), invalid, "/processorExecutions/0/splitIndex"},
      {"a flag in text", with_steps(step(R"("filterMatched":"true")")), invalid,
       "/processorExecutions/0/filterMatched"},
      {"a child's child", with_steps(step("\"children\":[" + kStep + "," + step("\"children\":[7]") + "]")), invalid,
       "/processorExecutions/0/children/1/children/0"},
      {"too many elements", "[" + repeated(execution() + ",", 10'000) + execution() + "]", invalid, ""},
      {"too many processors", with_steps(repeated(kStep + ",", 20'000) + kStep), invalid, "/processorExecutions/20000"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const auto decoded = decode_executions(row.body, rules(), context());
    REQUIRE_FALSE(decoded.has_value());
    CAPTURE(decoded.error().message);
    CHECK(name_of(decoded.error().code) == name_of(row.code));
    CHECK(decoded.error().member == row.member);
    CHECK_FALSE(decoded.error().message.empty());
  }
}

TEST_CASE("every member of the protocol is read") {
  auto body = execution(
      R"("correlationId":"c1","application":"app","instanceId":"i1","endTime":"2026-11-22T01:02:04Z","durationMs":544,)"
      R"("errorMessage":"boom","errorStackTrace":"at","inputBody":"in\u0000","inputHeaders":{"h":"1","n":null},)"
      R"("outputBody":"","outputHeaders":{"o":"2"},"attributes":{"k":"v"},"parentExecutionId":"e0",)"
      R"("fromEndpoint":"direct:a","engineLevel":"REGULAR","diagramHash":"d","replayOf":"e9","later":[1,{"x":2}],)"
      R"("processorExecutions":[)" +
      step(
          R"("seq":4,"parentSeq":2,"durationMs":5,"iteration":1,"iterationSize":2,"loopIndex":3,"splitIndex":4,)"
          R"("multicastIndex":5,"endpointUri":"a","resolvedEndpointUri":"b","errorMessage":"e","errorStackTrace":"s",)"
          R"("inputBody":"i","inputHeaders":{"a":"b"},"outputBody":"o","outputHeaders":{"c":"d"},"attributes":{"e":"f"},)"
          R"("filterMatched":true,"duplicateMessage":false,"circuitBreakerState":"OPEN","status":"SOMETHING_NEW")") +
      "]");
  const auto read = read_executions(body);
  REQUIRE(read.has_value());
  const auto& e = read->front();
  CHECK(e.execution_id == "e1");
  CHECK(e.correlation_id == "c1");
  CHECK(e.exchange_id == "x1");
  CHECK(e.route_id == "r1");
  CHECK(e.application == "app");
  CHECK(e.instance_id == "i1");
  CHECK(format_instant(e.start_time) == "2026-11-22T01:02:03.456Z");
  CHECK(format_instant(*e.end_time) == "2026-11-22T01:02:04.000Z");
  CHECK(e.duration_ms == 544);
  CHECK(e.error_message == "boom");
  CHECK(e.message.input_body == Body{std::string("in\0", 3), 3});
  CHECK(e.message.output_body == Body{"", 0});
  CHECK(e.message.input_headers == StringMap{{"h", "1"}});
  CHECK(e.attributes == StringMap{{"k", "v"}});
  CHECK(e.parent_execution_id == "e0");
  CHECK(e.from_endpoint == "direct:a");
  CHECK(e.engine_level == "REGULAR");
  CHECK(e.diagram_hash == "d");
  CHECK(e.replay_of == "e9");
  REQUIRE(e.processors.size() == 1);
  const auto& p = e.processors.front();
  CHECK(p.seq == 4);
  CHECK(p.parent_seq == 2u);
  CHECK(p.iteration == 1);
  CHECK(p.iteration_size == 2);
  CHECK(p.loop_index == 3);
  CHECK(p.split_index == 4);
  CHECK(p.multicast_index == 5);
  CHECK(p.endpoint_uri == "a");
  CHECK(p.resolved_endpoint_uri == "b");
  CHECK(p.message.output_headers == StringMap{{"c", "d"}});
  CHECK(p.filter_matched == true);
  CHECK(p.duplicate_message == false);
  CHECK(p.circuit_breaker_state == "OPEN");
  CHECK(p.status == "SOMETHING_NEW");
}

TEST_CASE("a nested tree is numbered in pre-order, whatever numbers came with it") {
  auto body = with_steps(
      step(R"("seq":9,"children":[)" + step(R"("parentSeq":77)") + "," + step("\"children\":[" + kStep + "]") + "]") +
      "," + kStep);
  const auto read = read_executions(body);
  REQUIRE(read.has_value());
  const auto& steps = read->front().processors;
  REQUIRE(steps.size() == 5);
  const std::vector<std::optional<std::uint32_t>> parents{std::nullopt, 0u, 0u, 2u, std::nullopt};
  for (std::uint32_t i = 0; i < steps.size(); ++i) {
    CHECK(steps[i].seq == i);
    CHECK(steps[i].parent_seq == parents[i]);
  }
}

TEST_CASE("an id may have 256 characters of any length") {
  std::string id;
  for (int i = 0; i < 256; ++i) id += "\xE2\x82\xAC";
  CHECK(decode_executions(execution("\"exchangeId\":\"" + id + "\""), rules(), context()).has_value());
  CHECK_FALSE(decode_executions(execution("\"exchangeId\":\"" + id + "x\""), rules(), context()).has_value());
}

TEST_CASE("elements outside the time range are refused alone") {
  const auto at = [](const char* time) { return execution(std::string("\"startTime\":\"") + time + "\""); };
  const auto decoded = decode_executions("[" + at("2026-10-01T00:00:00Z") + "," + at("2026-11-22T01:00:00Z") + "," +
                                             at("2026-11-24T00:00:00Z") + "," + at("2026-11-23T02:00:00Z") + "]",
                                         rules(), context());
  REQUIRE(decoded.has_value());
  CHECK(decoded->accepted == 2);
  REQUIRE(decoded->rejected.size() == 2);
  CHECK(decoded->rejected[0].index == 0);
  CHECK(decoded->rejected[0].reason == "too_old");
  CHECK(decoded->rejected[1].index == 2);
  CHECK(decoded->rejected[1].reason == "in_future");
  CHECK(decoded->rows.rows() == 2);
}

TEST_CASE("an empty array is nothing to store") {
  const auto decoded = decode_executions("[]", rules(), context());
  REQUIRE(decoded.has_value());
  CHECK(decoded->accepted == 0);
  CHECK(decoded->rows.bytes() == 0);
}

TEST_CASE("rows hold no secret, however it came") {
  const std::string secret = "s3cr3t";
  const auto more =
      R"("inputHeaders":{"Authorization":"s3cr3t"},"outputBody":"{\"cookie\":\"s3cr3t\"}","attributes":{"COOKIE":"s3cr3t"})";
  const auto decoded = decode_executions(execution(std::string(more) + ",\"processorExecutions\":[" + step(more) + "]"),
                                         rules(), context());
  REQUIRE(decoded.has_value());
  REQUIRE(decoded->rows.parts.size() == 2);
  for (const auto& part : decoded->rows.parts) {
    CHECK(part.body.find(secret) == std::string::npos);
    CHECK(part.body.find("***") != std::string::npos);
  }
}

TEST_CASE("long texts are cut at a character after they were masked") {
  auto small = rules({"pin"});
  small.body_bytes = 16;
  const auto decoded = decode_executions(
      execution(
          R"("inputBody":"aaaaaaaaaaaaaaa€uuu","outputBody":"{\"a\":\"aaaaaaaaaaaaaaaaaaaaa\",\"pin\":\"s3cr3t\"}","outputHeaders":{"a":"b","c":"ddddddddddddddddddd"})"),
      small, context());
  REQUIRE(decoded.has_value());
  const auto& rows = decoded->rows.parts.back().body;
  CHECK(rows.find("aaaaaaaaaaaaaaa\xE2") == std::string::npos);
  CHECK(rows.find("uuu") == std::string::npos);
  CHECK(rows.find("s3cr3t") == std::string::npos);
  CHECK(rows.find("ddddddd") == std::string::npos);
  for (const auto* member : {"inputBody", "outputBody", "outputHeaders"}) CHECK(rows.find(member) != std::string::npos);
}
