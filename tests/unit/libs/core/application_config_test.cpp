#include <cameleer/core/application_config.hpp>
#include <cameleer/core/sensitive_keys.hpp>
#include <catch2/catch.hpp>

using namespace cameleer;

namespace {

constexpr std::string_view kTap =
    R"({"tapId":"t1","processorId":"to1","language":"simple","expression":"${body}","attribute":"order"})";

/// The tap with one member more, which overrides nothing: the member must not be in it yet.
std::string tap_without(std::string_view member) {
  std::string tap(kTap);
  const auto at = tap.find(member);
  tap.replace(at, member.size(), "other");
  return tap;
}

std::string entries(std::size_t count, std::string_view value) {
  std::string text = "{";
  for (std::size_t i = 0; i < count; ++i) {
    text += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":" + std::string(value);
  }
  return text + "}";
}

std::string elements(std::size_t count, const std::function<std::string(std::size_t)>& element) {
  std::string text = "[";
  for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "" : ",") + element(i);
  return text + "]";
}

std::string numbered_tap(std::size_t number) {
  auto tap = std::string(kTap);
  return tap.replace(tap.find("t1"), 2, "t" + std::to_string(number));
}

std::string quoted(std::size_t length) {
  return "\"" + std::string(length, 'k') + "\"";
}

}  // namespace

TEST_CASE("a configuration of nothing has the defaults") {
  const auto config = read_application_config("{}");
  REQUIRE(config);
  CHECK(*config == ApplicationConfig{});
  CHECK(config->engine_level == "COMPLETE");
  CHECK(config->payload_capture_mode == "BOTH");
  CHECK(config->sampling_rate == 1.0);
  CHECK(config->metrics_interval_seconds == 60);
}

TEST_CASE("every member is read, and what is written reads back the same") {
  const auto config = read_application_config(R"({
      "application":"other","environment":"other","version":9,"tapVersion":9,"updatedBy":"x","updatedAt":7,
      "mergedSensitiveKeys":7,"unknown":{"deep":[1]},
      "metricsEnabled":false,"metricsIntervalSeconds":3600,"samplingRate":0.25,"engineLevel":"MINIMAL",
      "payloadCaptureMode":"INPUT","tracedProcessors":{"to1":"BOTH","log1":"NONE"},"logLevels":{"org.acme":"DEBUG"},
      "taps":[{"tapId":"t1","processorId":"to1","target":"INPUT","language":"simple","expression":"${body}",
      "attribute":"order","enabled":false}],"routeRecording":{"in":false,"out":true},"compressSuccess":true,
      "sensitiveKeys":["pin","*Token"]})");
  REQUIRE(config);
  ApplicationConfig expected;
  expected.metrics_enabled = false;
  expected.metrics_interval_seconds = 3600;
  expected.sampling_rate = 0.25;
  expected.engine_level = "MINIMAL";
  expected.payload_capture_mode = "INPUT";
  expected.traced_processors = {{"to1", "BOTH"}, {"log1", "NONE"}};
  expected.log_levels = {{"org.acme", "DEBUG"}};
  Tap tap;
  tap.tap_id = "t1";
  tap.processor_id = "to1";
  tap.target = "INPUT";
  tap.language = "simple";
  tap.expression = "${body}";
  tap.attribute = "order";
  tap.enabled = false;
  expected.taps = {tap};
  expected.route_recording = {{"in", false}, {"out", true}};
  expected.compress_success = true;
  expected.sensitive_keys = {"pin", "*Token"};
  CHECK(*config == expected);
  const auto again = read_application_config(to_json(*config));
  REQUIRE(again);
  CHECK(*again == expected);
}

TEST_CASE("a member that is null counts as absent") {
  const auto config = read_application_config(
      R"({"metricsEnabled":null,"metricsIntervalSeconds":null,"samplingRate":null,"engineLevel":null,
          "payloadCaptureMode":null,"tracedProcessors":null,"logLevels":{"a":null},"taps":null,
          "routeRecording":{"in":null},"compressSuccess":null,"sensitiveKeys":null})");
  REQUIRE(config);
  CHECK(config->route_recording.empty());
  CHECK(config->log_levels.empty());
  CHECK(config->metrics_enabled);
}

TEST_CASE("what breaks a rule is refused and named") {
  struct Row {
    std::string json, member, rule;
  };
  const Row rows[] = {
      {R"({"metricsEnabled":1})", "/metricsEnabled", "true or false"},
      {R"({"metricsIntervalSeconds":0})", "/metricsIntervalSeconds", "from 1 to 3600"},
      {R"({"metricsIntervalSeconds":3601})", "/metricsIntervalSeconds", "from 1 to 3600"},
      {R"({"metricsIntervalSeconds":1.5})", "/metricsIntervalSeconds", "whole number"},
      {R"({"metricsIntervalSeconds":"60"})", "/metricsIntervalSeconds", "whole number"},
      {R"({"metricsIntervalSeconds":18446744073709551615})", "/metricsIntervalSeconds", "whole number"},
      {R"({"samplingRate":-0.1})", "/samplingRate", "from 0 to 1"},
      {R"({"samplingRate":1.01})", "/samplingRate", "from 0 to 1"},
      {R"({"samplingRate":"1"})", "/samplingRate", "from 0 to 1"},
      {R"({"engineLevel":"complete"})", "/engineLevel", "NONE, MINIMAL, REGULAR, COMPLETE"},
      {R"({"engineLevel":3})", "/engineLevel", "string"},
      {R"({"payloadCaptureMode":"ALL"})", "/payloadCaptureMode", "NONE, INPUT, OUTPUT, BOTH"},
      {R"({"payloadCaptureMode":[]})", "/payloadCaptureMode", "string"},
      {R"({"tracedProcessors":[]})", "/tracedProcessors", "object"},
      {R"({"tracedProcessors":{"to1":"ALL"}})", "/tracedProcessors/to1", "NONE, INPUT, OUTPUT, BOTH"},
      {R"({"tracedProcessors":{"to1":true}})", "/tracedProcessors/to1", "string"},
      {R"({"tracedProcessors":{"":"BOTH"}})", "/tracedProcessors", "1 to 256 bytes"},
      {R"({"tracedProcessors":{"a\u0000b":"BOTH"}})", "/tracedProcessors", "without NUL"},
      {R"({"tracedProcessors":{"to1":"BOTH","to1":"NONE"}})", "/tracedProcessors/to1", "twice"},
      {R"({"tracedProcessors":)" + entries(1'001, R"("BOTH")") + "}", "/tracedProcessors", "at most 1000"},
      {R"({"logLevels":"DEBUG"})", "/logLevels", "object"},
      {R"({"logLevels":{"a/b":"FATAL"}})", "/logLevels/a~1b", "TRACE, DEBUG, INFO, WARN, ERROR, OFF"},
      {R"({"logLevels":)" + entries(1'001, R"("OFF")") + "}", "/logLevels", "at most 1000"},
      {R"({"routeRecording":[true]})", "/routeRecording", "object"},
      {R"({"routeRecording":{"in":"no"}})", "/routeRecording/in", "true or false"},
      {R"({"routeRecording":)" + entries(1'001, "true") + "}", "/routeRecording", "at most 1000"},
      {R"({"compressSuccess":"yes"})", "/compressSuccess", "true or false"},
      {R"({"sensitiveKeys":"pin"})", "/sensitiveKeys", "array"},
      {R"({"sensitiveKeys":["pin",7]})", "/sensitiveKeys/1", "string"},
      {R"({"sensitiveKeys":[""]})", "/sensitiveKeys/0", "1 to 256 bytes"},
      {R"({"sensitiveKeys":[" pin"]})", "/sensitiveKeys/0", "white space"},
      {R"({"sensitiveKeys":["pin\n"]})", "/sensitiveKeys/0", "white space"},
      {R"({"sensitiveKeys":["p\u0000n"]})", "/sensitiveKeys/0", "NUL"},
      {R"({"sensitiveKeys":[)" + quoted(257) + "]}", "/sensitiveKeys/0", "1 to 256 bytes"},
      {R"({"sensitiveKeys":)" + elements(201, [](auto) { return R"("pin")"; }) + "}", "/sensitiveKeys", "at most 200"},
      {R"({"taps":{}})", "/taps", "array"},
      {R"({"taps":["t"]})", "/taps/0", "object"},
      {R"({"taps":[)" + std::string(kTap) + "," + std::string(kTap) + "]}", "/taps/1/tapId", "twice"},
      {R"({"taps":[)" + tap_without("tapId") + "]}", "/taps/0/tapId", "required"},
      {R"({"taps":[)" + tap_without("processorId") + "]}", "/taps/0/processorId", "required"},
      {R"({"taps":[)" + tap_without("language") + "]}", "/taps/0/language", "required"},
      {R"({"taps":[)" + tap_without("expression") + "]}", "/taps/0/expression", "required"},
      {R"({"taps":[)" + tap_without("attribute") + "]}", "/taps/0/attribute", "required"},
      {R"({"taps":[{"tapId":""}]})", "/taps/0/tapId", "1 to 256 bytes"},
      {R"({"taps":[{"tapId":null}]})", "/taps/0/tapId", "1 to 256 bytes"},
      {R"({"taps":[{"tapId":"a","tapId":"b"}]})", "/taps/0/tapId", "twice"},
      {R"({"taps":[{"processorId":7}]})", "/taps/0/processorId", "string"},
      {R"({"taps":[{"target":"BOTH"}]})", "/taps/0/target", "INPUT, OUTPUT"},
      {R"({"taps":[{"language":)" + quoted(65) + "}]}", "/taps/0/language", "1 to 64 bytes"},
      {R"({"taps":[{"expression":)" + quoted(4'097) + "}]}", "/taps/0/expression", "1 to 4096 bytes"},
      {R"({"taps":[{"expression":"a\u0000"}]})", "/taps/0/expression", "NUL"},
      {R"({"taps":[{"attribute":)" + quoted(257) + "}]}", "/taps/0/attribute", "1 to 256 bytes"},
      {R"({"taps":[{"enabled":"true"}]})", "/taps/0/enabled", "true or false"},
      {R"({"taps":)" + elements(201, numbered_tap) + "}", "/taps", "at most 200"},
      {R"({"engineLevel":"NONE","engineLevel":"COMPLETE"})", "/engineLevel", "twice"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.json.substr(0, 100), row.rule);
    const auto config = read_application_config(row.json);
    REQUIRE_FALSE(config);
    CHECK(config.error().code == ErrorCode::invalid_member);
    CHECK(config.error().member == row.member);
    CHECK(config.error().message.find(row.rule) != std::string::npos);
  }
}

TEST_CASE("what is at the bounds is taken") {
  const auto json = R"({"samplingRate":0,"metricsIntervalSeconds":1,"tracedProcessors":)" +
                    entries(1'000, R"("BOTH")") + R"(,"taps":)" + elements(200, numbered_tap) + R"(,"sensitiveKeys":)" +
                    elements(200, [](auto) { return quoted(256); }) + "}";
  const auto config = read_application_config(json);
  REQUIRE(config);
  CHECK(config->traced_processors.size() == 1'000);
  CHECK(config->taps.size() == 200);
  CHECK(config->sensitive_keys.size() == 200);
  CHECK(config->sampling_rate == 0);
}

TEST_CASE("what is no JSON object is malformed") {
  const auto deep = R"({"a":)" + std::string(200, '[') + std::string(200, ']') + "}";
  const std::string bodies[] = {"", "{", "[]", "7", "null", "{\"a\":\"\xff\"}", R"({"engineLevel":"\ud800"})", deep};
  for (const auto& json : bodies) {
    CAPTURE(json);
    const auto config = read_application_config(json);
    REQUIRE_FALSE(config);
    CHECK(config.error().code == ErrorCode::malformed_body);
  }
}

TEST_CASE("global keys are read under the same rules, and must be there") {
  CHECK(read_sensitive_keys(R"({"keys":["pin","*token"]})") == std::vector<std::string>{"pin", "*token"});
  CHECK(read_sensitive_keys(R"({"keys":[]})") == std::vector<std::string>{});
  struct Row {
    std::string json;
    ErrorCode code;
    std::string member;
  };
  const Row rows[] = {
      {"[]", ErrorCode::malformed_body, ""},
      {"{}", ErrorCode::invalid_member, "/keys"},
      {R"({"keys":null})", ErrorCode::invalid_member, "/keys"},
      {R"({"keys":"pin"})", ErrorCode::invalid_member, "/keys"},
      {R"({"keys":["pin",""]})", ErrorCode::invalid_member, "/keys/1"},
      {R"({"keys":["pin"],"keys":[]})", ErrorCode::invalid_member, "/keys"},
      {R"({"keys":)" + elements(201, [](auto) { return R"("pin")"; }) + "}", ErrorCode::invalid_member, "/keys"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.json.substr(0, 100));
    const auto keys = read_sensitive_keys(row.json);
    REQUIRE_FALSE(keys);
    CHECK(keys.error().code == row.code);
    CHECK(keys.error().member == row.member);
  }
}

TEST_CASE("keys merge without repetition in any case: defaults, then global ones, then the application's") {
  auto expected = default_sensitive_keys();
  expected.insert(expected.end(), {"Pin", "*token", "iban"});
  CHECK(merged_sensitive_keys({"Pin", "AUTHORIZATION", "*token"}, {"pin", "*TOKEN", "iban", "IBAN"}) == expected);
  CHECK(merged_sensitive_keys({}, {}) == default_sensitive_keys());
}

TEST_CASE("the envelope has the server's members; with nothing stored version 0 and the defaults") {
  ApplicationConfig config;
  config.application = "orders";
  config.environment = "default";
  CHECK(to_envelope(config, {}) ==
        R"({"application":"orders","environment":"default","version":0,"metricsEnabled":true,)"
        R"("metricsIntervalSeconds":60,"samplingRate":1,"engineLevel":"COMPLETE","payloadCaptureMode":"BOTH",)"
        R"("tracedProcessors":{},"logLevels":{},"taps":[],"routeRecording":{},"compressSuccess":false,)"
        R"("sensitiveKeys":[],"tapVersion":0,"mergedSensitiveKeys":["Authorization","Cookie","Set-Cookie",)"
        R"("X-API-Key","X-Auth-Token","Proxy-Authorization"]})");
  config.version = 3;
  config.tap_version = 2;
  config.updated_at = instant_of(1'800'000'000'000);
  config.updated_by = "admin";
  config.sensitive_keys = {"pin"};
  const auto envelope = to_envelope(config, {"iban"});
  for (const auto* part : {R"("version":3,"updatedAt":"2027-01-15T08:00:00.000Z","updatedBy":"admin")",
                           R"("sensitiveKeys":["pin"],"tapVersion":2)", R"("Proxy-Authorization","iban","pin"])"}) {
    CAPTURE(part);
    CHECK(envelope.find(part) != std::string::npos);
  }
}
