#include "decode_fixture.hpp"

using namespace cameleer;
using namespace cameleer::server;
using namespace cameleer::test;

namespace {

constexpr auto kInvalid = ErrorCode::invalid_member;

// The members of an object, and those that follow; of two members of one name the last counts.
std::string with(const std::string& good, std::string_view more) {
  return good.substr(0, good.size() - 1) + "," + std::string(more) + "}";
}

const std::string kLog = R"({"timestamp":"2026-11-22T01:02:03.456Z","level":"INFO","message":"hello"})";
const std::string kMetric = R"({"timestamp":"2026-11-22T01:02:03.456Z","metricName":"heap","value":1.5})";
const std::string kEvent = R"({"timestamp":"2026-11-22T01:02:03.456Z","type":"ROUTE_STOPPED"})";
const std::string kDiagram = R"({"routeId":"r1","nodes":[{"id":"a"}],"edges":[]})";

struct Kind {
  const char* table;
  Decode decode;
  std::string good;
};
const Kind kKinds[] = {
    {"logs", decode_logs, kLog}, {"agent_metrics", decode_metrics, kMetric}, {"agent_events", decode_events, kEvent}};

std::string rows_of(const Expected<DecodedRequest>& decoded) {
  REQUIRE(decoded.has_value());
  REQUIRE(decoded->rows.parts.size() == 1);
  return decoded->rows.parts.front().body;
}

bool holds(const std::string& rows, std::string_view text) {
  return rows.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("a wrong log record is refused with the place and the rule") {
  check_common_refusals(decode_logs, kLog, DecodeRules::max_elements);
  const Refusal rows[] = {
      {"no time", R"({"level":"INFO"})", kInvalid, "/timestamp"},
      {"a time that is none", with(kLog, R"("timestamp":"now")"), kInvalid, "/timestamp"},
      {"a time as number", with(kLog, R"("timestamp":1795309323456)"), kInvalid, "/timestamp"},
      {"no level", R"([{"timestamp":"2026-11-22T01:02:03Z"}])", kInvalid, "/0/level"},
      {"a level that is a number", with(kLog, R"("level":4)"), kInvalid, "/level"},
      {"a long level", with(kLog, "\"level\":\"" + std::string(33, 'L') + "\""), kInvalid, "/level"},
      {"a message that is an object", with(kLog, R"("message":{})"), kInvalid, "/message"},
      {"an MDC that is a list", with(kLog, R"("mdc":[])"), kInvalid, "/mdc"},
      {"an MDC of numbers", with(kLog, R"("mdc":{"a":1})"), kInvalid, "/mdc/a"},
      {"a source that is a flag", with(kLog, R"("source":true)"), kInvalid, "/source"},
      {"NUL in an exchange id", with(kLog, R"("exchangeId":"a\u0000")"), kInvalid, "/exchangeId"},
      {"a long route id", "[" + kLog + "," + with(kLog, "\"routeId\":\"" + std::string(257, 'r') + "\"") + "]",
       kInvalid, "/1/routeId"},
  };
  check_refusals(decode_logs, rows);
}

TEST_CASE("a wrong metric is refused with the place and the rule") {
  check_common_refusals(decode_metrics, kMetric, DecodeRules::max_elements);
  const Refusal rows[] = {
      {"no name", with(R"({"value":1})", R"("timestamp":"2026-11-22T01:02:03Z")"), kInvalid, "/metricName"},
      {"NUL in a name", with(kMetric, R"("metricName":"\u0000")"), kInvalid, "/metricName"},
      {"no value", R"({"metricName":"m","timestamp":"2026-11-22T01:02:03Z"})", kInvalid, "/value"},
      {"a value that is null", R"({"metricName":"m","timestamp":"2026-11-22T01:02:03Z","value":null})", kInvalid,
       "/value"},
      {"a value in text", with(kMetric, R"("value":"1")"), kInvalid, "/value"},
      {"a value that is a flag", with(kMetric, R"("value":true)"), kInvalid, "/value"},
      {"no number at all", with(kMetric, R"("value":NaN)"), ErrorCode::malformed_body, ""},
      {"a value beyond measure", with(kMetric, R"("value":1e999)"), ErrorCode::malformed_body, ""},
      {"no time", R"({"metricName":"m","value":1})", kInvalid, "/timestamp"},
      {"tags that are a text", with(kMetric, R"("tags":"a=b")"), kInvalid, "/tags"},
      {"a type that is a number", with(kMetric, R"("type":1)"), kInvalid, "/type"},
  };
  check_refusals(decode_metrics, rows);
}

TEST_CASE("whole, signed and large numbers are values of a metric") {
  for (const auto* value : {"0", "-1", "18446744073709551615", "1e-300", "-1.5e300"}) {
    CAPTURE(value);
    CHECK(decode_metrics(with(kMetric, "\"value\":" + std::string(value)), rules(), context()).has_value());
  }
}

TEST_CASE("a wrong event is refused with the place and the rule") {
  check_common_refusals(decode_events, kEvent, DecodeRules::max_elements);
  const Refusal rows[] = {
      {"no type", R"({"timestamp":"2026-11-22T01:02:03Z"})", kInvalid, "/type"},
      {"an empty type", with(kEvent, R"("type":"")"), kInvalid, "/type"},
      {"a long type", with(kEvent, "\"type\":\"" + std::string(129, 't') + "\""), kInvalid, "/type"},
      {"no time", R"({"type":"T"})", kInvalid, "/timestamp"},
      {"a detail that is a text", with(kEvent, R"("detail":"x")"), kInvalid, "/detail"},
      {"a detail that is a list", "[" + with(kEvent, R"("detail":[])") + "]", kInvalid, "/0/detail"},
      {"a deep detail", with(kEvent, "\"detail\":{\"a\":" + repeated("[", 32) + repeated("]", 32) + "}"), kInvalid,
       "/detail"},
      {"a large detail", with(kEvent, "\"detail\":{\"a\":\"" + std::string(64 * 1024, 'x') + "\"}"), kInvalid,
       "/detail"},
  };
  check_refusals(decode_events, rows);
  CHECK(decode_events(with(kEvent, "\"detail\":{\"a\":" + repeated("[", 31) + repeated("]", 31) + "}"), rules(),
                      context())
            .has_value());
}

TEST_CASE("a wrong diagram is refused with the place and the rule") {
  check_common_refusals(decode_diagrams, kDiagram, DecodeRules::max_diagrams);
  const Refusal rows[] = {
      {"no route", R"({"nodes":[]})", kInvalid, "/routeId"},
      {"NUL in a route", with(kDiagram, R"("routeId":"\u0000")"), kInvalid, "/routeId"},
      {"a long hash", with(kDiagram, "\"diagramHash\":\"" + std::string(129, 'h') + "\""), kInvalid, "/diagramHash"},
      {"a version that is a list", with(kDiagram, R"("version":[])"), kInvalid, "/version"},
      {"nodes that are an object", with(kDiagram, R"("nodes":{})"), kInvalid, "/nodes"},
      {"edges that are a text", "[" + kDiagram + "," + with(kDiagram, R"("edges":"a")") + "]", kInvalid, "/1/edges"},
      {"deep nodes", with(kDiagram, "\"nodes\":" + repeated("[", 65) + repeated("]", 65)), kInvalid, "/nodes"},
      {"large nodes", with(kDiagram, "\"nodes\":[\"" + std::string(1 << 20, 'x') + "\"]"), kInvalid, "/nodes"},
      {"a source that is an object", with(kDiagram, R"("source":{})"), kInvalid, "/source"},
  };
  check_refusals(decode_diagrams, rows);
}

TEST_CASE("records outside the time range are refused alone") {
  for (const auto& kind : kKinds) {
    CAPTURE(kind.table);
    const auto decoded = kind.decode("[" + with(kind.good, R"("timestamp":"2026-10-01T00:00:00Z")") + "," + kind.good +
                                         "," + with(kind.good, R"("timestamp":"2026-11-24T00:00:00Z")") + "]",
                                     rules(), context());
    REQUIRE(decoded.has_value());
    CHECK(decoded->accepted == 1);
    REQUIRE(decoded->rejected.size() == 2);
    CHECK(decoded->rejected[0].index == 0);
    CHECK(decoded->rejected[0].reason == "too_old");
    CHECK(decoded->rejected[1].index == 2);
    CHECK(decoded->rejected[1].reason == "in_future");
    REQUIRE(decoded->rows.parts.size() == 1);
    CHECK(decoded->rows.parts[0].table == kind.table);
    CHECK(decoded->rows.parts[0].rows == 1);
  }
}

TEST_CASE("the same body gives the same rows, another body, agent or key other ones") {
  for (const auto& kind : kKinds) {
    CAPTURE(kind.table);
    const auto body = "[" + kind.good + "," + kind.good + "]";
    const auto first = rows_of(kind.decode(body, rules(), context()));
    CHECK(rows_of(kind.decode(body, rules(), context())) == first);
    CHECK(rows_of(kind.decode(body + " ", rules(), context())) != first);
    auto other = context();
    other.agent_id = "agent-2";
    CHECK(rows_of(kind.decode(with(kind.good, R"("instanceId":"agent-1")"), rules(), other)) !=
          rows_of(kind.decode(with(kind.good, R"("instanceId":"agent-1")"), rules(), context())));
    auto keyed = context();
    keyed.idempotency_key = "k1";
    const auto with_key = rows_of(kind.decode(body, rules(), keyed));
    CHECK(with_key != first);
    CHECK(rows_of(kind.decode(body + " ", rules(), keyed)) == with_key);
  }
}

TEST_CASE("values under sensitive names are masked, texts are as sent") {
  const auto log = rows_of(decode_logs(
      with(kLog, R"("message":"cookie=m3ss4ge","mdc":{"Cookie":"s3cr3t","k":"plain"})"), rules(), context()));
  CHECK_FALSE(holds(log, "s3cr3t"));
  CHECK(holds(log, "plain"));
  CHECK(holds(log, "cookie=m3ss4ge"));
  const auto metric = rows_of(decode_metrics(with(kMetric, R"("tags":{"X-API-Key":"s3cr3t"})"), rules(), context()));
  CHECK_FALSE(holds(metric, "s3cr3t"));
  const auto event = rows_of(decode_events(
      with(kEvent, R"("detail":{"a":[{"authorization":{"x":"s3cr3t"}}],"b":"plain"})"), rules(), context()));
  CHECK_FALSE(holds(event, "s3cr3t"));
  CHECK(holds(event, R"("b":"plain")"));
  const auto diagram = rows_of(
      decode_diagrams(with(kDiagram, R"("source":"<route><setHeader Cookie=\"s3cr3t\"/><to uri=\"log:a\"/></route>")"),
                      rules(), context()));
  CHECK_FALSE(holds(diagram, "s3cr3t"));
  CHECK(holds(diagram, "log:a"));
}

TEST_CASE("members win over the MDC, and the MDC over nothing") {
  const auto from_mdc = rows_of(decode_logs(
      with(
          kLog,
          R"("mdc":{"camel.exchangeId":"weaker","cameleer.exchangeId":"stronger-x","camel.routeId":"route-m","cameleer.processorId":"proc-m"})"),
      rules(), context()));
  // In the MDC once, in its own column once more.
  const auto count = [](const std::string& rows, std::string_view text) {
    std::size_t found = 0;
    for (auto at = rows.find(text); at != std::string::npos; at = rows.find(text, at + 1)) ++found;
    return found;
  };
  CHECK(count(from_mdc, "stronger-x") == 2);
  CHECK(count(from_mdc, "weaker") == 1);
  CHECK(count(from_mdc, "route-m") == 2);
  CHECK(count(from_mdc, "proc-m") == 2);
  const auto own = rows_of(decode_logs(with(kLog, R"("exchangeId":"own-x","mdc":{"cameleer.exchangeId":"stronger-x"})"),
                                       rules(), context()));
  CHECK(count(own, "own-x") == 1);
  CHECK(count(own, "stronger-x") == 1);
  const auto unfit =
      decode_logs(with(kLog, "\"mdc\":{\"camel.exchangeId\":\"" + std::string(300, 'u') + "\"}"), rules(), context());
  CHECK(count(rows_of(unfit), std::string(300, 'u')) == 1);
}

TEST_CASE("values nobody knows are kept, and what is missing has its default") {
  const auto log = rows_of(decode_logs(with(kLog, R"("level":"NOTICE","source":"sidecar")"), rules(), context()));
  CHECK(holds(log, "NOTICE"));
  CHECK(holds(log, "sidecar"));
  const auto plain = rows_of(decode_logs(kLog, rules(), context()));
  for (const auto* expected : {"app", "orders", "agent-1"}) CHECK(holds(plain, expected));
  CHECK(holds(rows_of(decode_metrics(with(kMetric, R"("type":"histogram9")"), rules(), context())), "histogram9"));
  CHECK(holds(rows_of(decode_events(kEvent, rules(), context())), "{}"));
}

TEST_CASE("long texts are cut at a character") {
  auto small = rules();
  small.body_bytes = 16;
  const auto log = rows_of(decode_logs(
      with(
          kLog,
          R"("message":"aaaaaaaaaaaaaaa€uuu","stackTrace":"ssssssssssssssssTTT","mdc":{"a":"b","c":"ddddddddddddddddd"})"),
      small, context()));
  for (const auto* gone : {"\xE2", "uuu", "TTT", "ddddd"}) CHECK_FALSE(holds(log, gone));
  for (const auto* member : {"message", "stackTrace", "mdc"}) CHECK(holds(log, member));
}

TEST_CASE("a diagram without hash has that of its content, whatever its spaces") {
  const auto hash_in = [](const std::string& body) { return rows_of(decode_diagrams(body, rules(), context())); };
  const auto first = hash_in(kDiagram);
  CHECK(hash_in(R"( { "routeId" : "r1", "nodes":[ {"id":"a"} ], "edges":[ ] } )") == first);
  CHECK(hash_in(R"({"routeId":"r1","nodes":[{"id":"b"}],"edges":[]})") != first);
  CHECK(holds(hash_in(with(kDiagram, R"("diagramHash":"given","version":7)")), "given"));
  CHECK(holds(first, R"({"nodes":[{"id":"a"}],"edges":[]})"));
  const auto decoded = decode_diagrams(kDiagram, rules(), context());
  CHECK(decoded->routes.routes().contains({"orders", "r1"}));
}
