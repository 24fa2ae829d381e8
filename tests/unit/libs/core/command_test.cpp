#include <cameleer/core/command.hpp>
#include <catch2/catch.hpp>

using namespace cameleer;
using command::State;
using command::Type;

TEST_CASE("types and states have their names of the protocol") {
  for (const auto* name :
       {"config-update", "deep-trace", "replay", "set-traced-processors", "test-expression", "route-control"}) {
    CAPTURE(name);
    const auto type = command::type_of(name);
    REQUIRE(type);
    CHECK(command::name_of(*type) == name);
  }
  CHECK_FALSE(command::type_of("route_control"));
  for (const auto* name : {"PENDING", "DELIVERED", "ACKNOWLEDGED", "FAILED", "EXPIRED"}) {
    const auto state = command::state_of(name);
    REQUIRE(state);
    CHECK(command::name_of(*state) == name);
  }
  CHECK_FALSE(command::state_of("pending"));
  CHECK_FALSE(command::is_settled(State::pending));
  CHECK_FALSE(command::is_settled(State::delivered));
  CHECK(command::is_settled(State::expired));
}

TEST_CASE("a body keeps the members that are known and gets its defaults") {
  struct Row {
    Type type;
    std::string body, kept;
  };
  const Row rows[] = {
      {Type::config_update, R"({"config":{"version":9}})", "{}"},
      {Type::deep_trace, "{}", R"({"durationSeconds":300})"},
      {Type::deep_trace, R"({"routeId":"in","correlationId":"c","durationSeconds":1,"x":1})",
       R"({"routeId":"in","correlationId":"c","durationSeconds":1})"},
      {Type::deep_trace, R"({"routeId":null,"durationSeconds":3600})", R"({"durationSeconds":3600})"},
      {Type::set_traced_processors, R"({"processors":{"to1":"BOTH","log/1":"NONE"}})",
       R"({"processors":{"to1":"BOTH","log/1":"NONE"}})"},
      {Type::set_traced_processors, R"({"processors":{}})", R"({"processors":{}})"},
      {Type::test_expression, R"({"language":"simple","expression":"${body}"})",
       R"({"language":"simple","expression":"${body}"})"},
      {Type::test_expression, R"({"language":"simple","expression":"x","body":"","headers":{"a":"\u00e4\n"}})",
       "{\"language\":\"simple\",\"expression\":\"x\",\"body\":\"\",\"headers\":{\"a\":\"\u00e4\\n\"}}"},
      {Type::route_control, R"({"action":"suspend","routeId":"in"})", R"({"action":"suspend","routeId":"in"})"},
      {Type::replay, R"({"routeId":"in","exchange":{},"originalExecutionId":"e"})",
       R"({"routeId":"in","exchange":{},"originalExecutionId":"e"})"},
      {Type::replay, R"({"originalExecutionId":"e","exchange":{"body":"b","headers":{"h":"1"}},"routeId":"in"})",
       R"({"routeId":"in","exchange":{"headers":{"h":"1"},"body":"b"},"originalExecutionId":"e"})"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.body);
    const auto kept = command::read_body(row.type, row.body);
    REQUIRE(kept);
    CHECK(*kept == row.kept);
  }
}

TEST_CASE("a wrong body names the member below /payload") {
  struct Row {
    Type type;
    std::string body, member;
    ErrorCode code = ErrorCode::invalid_member;
  };
  std::string many = R"({"processors":{)";
  for (int i = 0; i <= 1000; ++i) many += (i ? "," : "") + ("\"p" + std::to_string(i)) + "\":\"BOTH\"";
  many += "}}";
  const Row rows[] = {
      {Type::config_update, "[]", "/payload"},
      {Type::config_update, "{", "/payload", ErrorCode::malformed_body},
      {Type::config_update, "", "/payload", ErrorCode::malformed_body},
      {Type::replay, std::string(100'000, '['), "/payload", ErrorCode::malformed_body},
      {Type::deep_trace, R"({"routeId":7})", "/payload/routeId"},
      {Type::deep_trace, R"({"routeId":")" + std::string(257, 'r') + "\"}", "/payload/routeId"},
      {Type::deep_trace, R"({"routeId":""})", "/payload/routeId"},
      {Type::deep_trace, R"({"correlationId":" "})", "/payload/correlationId"},
      {Type::set_traced_processors, R"({"processors":{"":"BOTH"}})", "/payload/processors"},
      {Type::test_expression,
       R"({"language":"simple","expression":"x","headers":{")" + std::string(257, 'h') + R"(":""}})",
       "/payload/headers/" + std::string(257, 'h')},
      {Type::deep_trace, R"({"durationSeconds":0})", "/payload/durationSeconds"},
      {Type::deep_trace, R"({"durationSeconds":3601})", "/payload/durationSeconds"},
      {Type::deep_trace, R"({"durationSeconds":1.5})", "/payload/durationSeconds"},
      {Type::deep_trace, R"({"durationSeconds":"1"})", "/payload/durationSeconds"},
      {Type::set_traced_processors, "{}", "/payload/processors"},
      {Type::set_traced_processors, R"({"processors":[]})", "/payload/processors"},
      {Type::set_traced_processors, R"({"processors":{"a/b":"ALL"}})", "/payload/processors/a~1b"},
      {Type::set_traced_processors, R"({"processors":{"a":1}})", "/payload/processors/a"},
      {Type::set_traced_processors, R"({"processors":{"a":"BOTH","a":"NONE"}})", "/payload/processors/a"},
      {Type::set_traced_processors, many, "/payload/processors"},
      {Type::test_expression, R"({"expression":"x"})", "/payload/language"},
      {Type::test_expression, R"({"language":"simple"})", "/payload/expression"},
      {Type::test_expression, R"({"language":" ","expression":"x"})", "/payload/language"},
      {Type::test_expression, R"({"language":"simple","expression":"x","headers":{"h":1}})", "/payload/headers/h"},
      {Type::test_expression, R"({"language":"simple","expression":"x","body":1})", "/payload/body"},
      {Type::route_control, R"({"routeId":"in"})", "/payload/action"},
      {Type::route_control, R"({"action":"delete","routeId":"in"})", "/payload/action"},
      {Type::route_control, R"({"action":"stop"})", "/payload/routeId"},
      {Type::route_control, R"({"action":"stop","routeId":"a","routeId":"b"})", "/payload/routeId"},
      {Type::replay, R"({"routeId":"in","originalExecutionId":"e"})", "/payload/exchange"},
      {Type::replay, R"({"routeId":"in","exchange":"x","originalExecutionId":"e"})", "/payload/exchange"},
      {Type::replay, R"({"routeId":"in","exchange":{"headers":[]},"originalExecutionId":"e"})",
       "/payload/exchange/headers"},
      {Type::replay, R"({"routeId":"in","exchange":{"headers":{"h":[]}},"originalExecutionId":"e"})",
       "/payload/exchange/headers/h"},
      {Type::replay, R"({"routeId":"in","exchange":{}})", "/payload/originalExecutionId"},
      {Type::replay,
       R"({"routeId":"in","exchange":{"body":")" + std::string(1024 * 1024 + 1, 'b') +
           R"("},"originalExecutionId":"e"})",
       "/payload/exchange/body"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.body.substr(0, 120));
    const auto kept = command::read_body(row.type, row.body);
    REQUIRE_FALSE(kept);
    CHECK(kept.error().code == row.code);
    CHECK(kept.error().member == row.member);
    CHECK_FALSE(kept.error().message.empty());
  }
}

TEST_CASE("an envelope reads back as it was written") {
  const command::Envelope envelope{.command_id = "0b6f5f0e-52c5-4f0e-9d0c-3f9a4b7c1d2e",
                                   .type = Type::route_control,
                                   .tenant_id = "default",
                                   .environment = "prod",
                                   .agent_id = "orders-1",
                                   .issued_at = instant_of(1'800'000'000'123),
                                   .expires_at = instant_of(1'800'000'060'123),
                                   .nonce = "abc_-",
                                   .body = R"({"action":"stop","routeId":"\"in\""})"};
  const auto text = command::to_json(envelope);
  CHECK(text ==
        R"({"commandId":"0b6f5f0e-52c5-4f0e-9d0c-3f9a4b7c1d2e","type":"route-control","tenantId":"default",)"
        R"("environment":"prod","agentId":"orders-1","issuedAt":"2027-01-15T08:00:00.123Z",)"
        R"("expiresAt":"2027-01-15T08:01:00.123Z","nonce":"abc_-","body":{"action":"stop","routeId":"\"in\""}})");
  const auto read = command::read_envelope(text);
  REQUIRE(read);
  CHECK(read->command_id == envelope.command_id);
  CHECK(read->type == envelope.type);
  CHECK(read->tenant_id == envelope.tenant_id);
  CHECK(read->environment == envelope.environment);
  CHECK(read->agent_id == envelope.agent_id);
  CHECK(read->issued_at == envelope.issued_at);
  CHECK(read->expires_at == envelope.expires_at);
  CHECK(read->nonce == envelope.nonce);
  CHECK(read->body == envelope.body);
}

TEST_CASE("an envelope without one of its members is none") {
  const std::string whole =
      R"({"commandId":"c","type":"replay","tenantId":"t","environment":"e","agentId":"a",)"
      R"("issuedAt":"2027-01-15T08:00:00Z","expiresAt":"2027-01-15T08:00:00Z","nonce":"n","body":{}})";
  REQUIRE(command::read_envelope(whole));
  for (const std::string name :
       {"commandId", "type", "tenantId", "environment", "agentId", "issuedAt", "expiresAt", "nonce", "body"}) {
    CAPTURE(name);
    auto without = whole;
    without.replace(without.find("\"" + name + "\""), name.size() + 2, "\"other\"");
    const auto read = command::read_envelope(without);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::invalid_member);
    CHECK(read.error().member == "/" + name);
  }
  for (const auto* bad : {"", "[]", "{", R"({"body":[]})"}) CHECK_FALSE(command::read_envelope(bad));
}
