#include <boost/asio/co_spawn.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch.hpp>

#include "commands_on_loop.hpp"

using namespace cameleer;
using namespace std::chrono_literals;
using test::CommandsOnLoop;
using test::ids_in;
using test::member;

namespace {

const std::string kStop = R"({"type":"route-control","payload":{"action":"stop","routeId":"in"}})";
const std::string kTest = R"({"type":"test-expression","payload":{"language":"simple","expression":"${body}"}})";
const std::string kReplay = R"({"routeId":"in","exchange":{"body":"b"},"originalExecutionId":"e"})";

struct Quick : CommandsOnLoop {
  Quick() : CommandsOnLoop({.ack_wait = 300ms, .max_live = 3}) {}
};

}  // namespace

TEST_CASE_METHOD(CommandsOnLoop, "a command is stored and shown with its course") {
  const auto sent = order("/api/v1/agents/orders-1/commands", kStop);
  REQUIRE(sent.status == 202);
  const auto id = ids_in(sent).at(0);
  CHECK(sent.body == fmt::format(R"({{"commands":[{{"commandId":"{}","agentId":"orders-1","state":"PENDING",)"
                                 R"("expiresAt":"{}"}}]}})",
                                 id, format_instant(now + 60s)));
  const auto path = "/api/v1/agents/orders-1/commands/" + id;
  auto shown = get(path, admin);
  REQUIRE(shown.status == 200);
  CHECK(member(shown, "type") == "route-control");
  CHECK(member(shown, "state") == "PENDING");
  CHECK(member(shown, "application") == "orders");
  CHECK(member(shown, "environment") == "default");
  CHECK(member(shown, "issuedBy") == "admin");
  CHECK(member(shown, "deliveredAt").empty());
  now += 1s;
  CHECK(acknowledge(id, R"({"status":"FAILURE","message":"no such route","data":{"a":[1]}})").body ==
        R"({"commandId":")" + id + R"(","state":"FAILED"})");
  shown = get(path + "?environment=default", admin);
  CHECK(member(shown, "state") == "FAILED");
  CHECK(member(shown, "message") == "no such route");
  CHECK(member(shown, "data") == R"({"a":[1]})");
  CHECK(member(shown, "settledAt") == format_instant(now));
  CHECK(commands->settled(command::Type::route_control, command::State::failed) == 1);

  for (const auto& other : {path + "?environment=other", "/api/v1/agents/orders-2/commands/" + id,
                            std::string("/api/v1/agents/orders-1/commands/no-id"),
                            std::string("/api/v1/agents/orders-1/commands/0b6f5f0e-52c5-4f0e-9d0c-3f9a4b7c1d2e")}) {
    CAPTURE(other);
    const auto none = get(other, admin);
    CHECK(none.status == 404);
    CHECK(member(none, "code") == "command_not_found");
  }
}

TEST_CASE_METHOD(CommandsOnLoop, "an acknowledgement counts once, from the agent that was asked, within the life") {
  const auto id = stop_route();
  const auto foreign = register_agent("orders-2");
  const auto by_other = post("/api/v1/agents/orders-2/commands/" + id + "/ack", R"({"status":"SUCCESS"})", foreign);
  CHECK(by_other.status == 403);
  CHECK(member(by_other, "code") == "foreign_agent");
  CHECK(post("/api/v1/agents/orders-1/commands/" + id + "/ack", R"({"status":"SUCCESS"})", foreign).status == 403);
  CHECK(state_of(id) == "PENDING");

  const std::string result = R"({"status":"SUCCESS","message":"done","data":{"b":1,"a":2}})";
  CHECK(acknowledge(id, result).status == 200);
  CHECK(acknowledge(id, R"({"data":{"a":2,"b":1},"status":"SUCCESS","message":"done"})").status == 200);
  for (const auto* other :
       {R"({"status":"FAILURE","message":"done","data":{"a":2,"b":1}})",
        R"({"status":"SUCCESS","message":"other","data":{"a":2,"b":1}})", R"({"status":"SUCCESS"})"}) {
    const auto refused = acknowledge(id, other);
    CHECK(refused.status == 409);
    CHECK(member(refused, "code") == "command_settled");
  }
  CHECK(commands->settled(command::Type::route_control, command::State::acknowledged) == 1);

  const auto late = stop_route();
  now += 60s;
  CHECK(member(acknowledge(late), "code") == "command_settled");
  REQUIRE(run(commands->expire()));
  CHECK(acknowledge(late).status == 409);
  CHECK(state_of(late) == "EXPIRED");
  CHECK(acknowledge("0b6f5f0e-52c5-4f0e-9d0c-3f9a4b7c1d2e").status == 404);
  CHECK(acknowledge("x").status == 404);
}

TEST_CASE_METHOD(CommandsOnLoop, "a wrong acknowledgement is refused by its member") {
  const auto id = stop_route();
  const std::pair<std::string, std::string> rows[] = {
      {"", ""},
      {"{}", "/status"},
      {R"({"status":"DONE"})", "/status"},
      {R"({"status":"SUCCESS","message":7})", "/message"},
      {R"({"status":"SUCCESS","message":")" + std::string(4097, 'm') + "\"}", "/message"},
      {R"({"status":"SUCCESS","data":[]})", "/data"},
      {R"({"status":"SUCCESS","data":{"d":")" + std::string(256 * 1024, 'd') + "\"}}", "/data"},
  };
  for (const auto& [body, name] : rows) {
    CAPTURE(body.substr(0, 80));
    const auto refused = acknowledge(id, body);
    CHECK(refused.status == 400);
    CHECK(member(refused, "member") == name);
  }
  CHECK(state_of(id) == "PENDING");
}

TEST_CASE_METHOD(CommandsOnLoop, "a wrong order is refused by its member and stores nothing") {
  struct Row {
    std::string target, body;
    int status;
    std::string code, member;
  };
  const std::string one = "/api/v1/agents/orders-1/commands";
  const Row rows[] = {
      {one, "", 400, "malformed_body", ""},
      {one, "{}", 400, "invalid_member", "/type"},
      {one, R"({"type":"restart","payload":{}})", 400, "invalid_member", "/type"},
      {one, R"({"type":"route-control"})", 400, "invalid_member", "/payload"},
      {one, R"({"type":"route-control","payload":[]})", 400, "invalid_member", "/payload"},
      {one, R"({"type":"route-control","payload":{"action":"stop"}})", 400, "invalid_member", "/payload/routeId"},
      {one + "?environment=other", kStop, 404, "environment_not_found", "environment"},
      {"/api/v1/agents/nobody/commands", kStop, 404, "agent_not_found", "agentId"},
      {"/api/v1/agents/commands", kStop, 400, "invalid_parameter", "environment"},
      {"/api/v1/agents/commands?environment=other", kStop, 404, "environment_not_found", "environment"},
      {"/api/v1/agents/groups/orders/commands", kStop, 400, "invalid_parameter", "environment"},
      {"/api/v1/agents/orders-1/replay", "{}", 400, "invalid_member", "/routeId"},
      {"/api/v1/agents/orders-1/replay", R"({"routeId":"a","exchange":{"body":1},"originalExecutionId":"e"})", 400,
       "invalid_member", "/exchange/body"},
      {"/api/v1/agents/orders-1/replay", "[]", 400, "malformed_body", ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.target, row.body);
    const auto refused = order(row.target, row.body);
    CHECK(refused.status == row.status);
    CHECK(member(refused, "code") == row.code);
    CHECK(member(refused, "member") == row.member);
  }
  CHECK(cell("select count(*) from agent_commands") == "0");
  CHECK(post(one, kStop, token).status == 401);
  CHECK(post(one, kStop).status == 401);
}

TEST_CASE_METHOD(CommandsOnLoop, "an agent is found by its id alone while that is clear, and must be there") {
  cell("insert into environments values (gen_random_uuid(), 'prod', 'Prod', now())");
  cell(
      "insert into agents select 'prod', agent_id, display_name, application, version, camel_version, runtime, "
      "route_ids, route_states, capabilities, state, registered_at, last_heartbeat_at, state_since, clock_skew_ms, "
      "key_ref from agents");
  const auto unclear = order("/api/v1/agents/orders-1/commands", kStop);
  CHECK(unclear.status == 400);
  CHECK(member(unclear, "code") == "invalid_parameter");
  CHECK(member(unclear, "member") == "environment");
  CHECK(order("/api/v1/agents/orders-1/commands?environment=prod", kStop).status == 202);
  CHECK(cell("select environment from agent_commands") == "prod");
  // The token of the agent in one environment is nobody in the other.
  CHECK(acknowledge(cell("select command_id from agent_commands")).status == 403);

  for (const auto* state : {"DEAD", "SHUTDOWN"}) {
    cell(std::string("update agents set state = '") + state + "' where environment = 'prod'");
    const auto gone = order("/api/v1/agents/orders-1/commands?environment=prod", kStop);
    CHECK(gone.status == 409);
    CHECK(member(gone, "code") == "conflict");
  }
  cell("update agents set state = 'STALE' where environment = 'prod'");
  CHECK(order("/api/v1/agents/orders-1/commands?environment=prod", kStop).status == 202);
}

TEST_CASE_METHOD(CommandsOnLoop, "a command to many reaches those that are LIVE or STALE") {
  register_agent("orders-2");
  register_agent("stock-1", "stock");
  register_agent("gone-1");
  cell("update agents set state = 'STALE' where agent_id = 'orders-2'");
  cell("update agents set state = 'DEAD' where agent_id = 'gone-1'");
  const auto agents_of = [this](const std::string& target) {
    const auto ids = ids_in(order(target, kStop));
    return ids.empty() ? ""
                       : cell(
                             "select string_agg(agent_id, ',' order by agent_id) from agent_commands "
                             "where position > (select max(position) - " +
                             std::to_string(ids.size()) + " from agent_commands)");
  };
  CHECK(agents_of("/api/v1/agents/groups/orders/commands?environment=default") == "orders-1,orders-2");
  CHECK(agents_of("/api/v1/agents/commands?environment=default") == "orders-1,orders-2,stock-1");
  const auto nobody = order("/api/v1/agents/groups/nobody/commands?environment=default", kStop);
  CHECK(nobody.status == 202);
  CHECK(nobody.body == R"({"commands":[]})");
}

TEST_CASE_METHOD(CommandsOnLoop, "a configuration is pushed with the envelope of each agent's application") {
  register_agent("stock-1", "stock");
  CHECK(run(commands->push_config("default", "", "admin")).value() == 2);
  CHECK(run(commands->push_config("default", "stock", "admin")).value() == 1);
  CHECK(run(commands->push_config("default", "nobody", "admin")).value() == 0);
  CHECK(order("/api/v1/agents/orders-1/commands", R"({"type":"config-update"})").status == 202);
  auto reader = connect(*commands);
  until([&] { return reader->events().size() == 2; });
  for (const auto& event : reader->events()) {
    CHECK(event.name == "config-update");
    const auto payload = std::string(boost::json::parse(event.data).at("payload").as_string());
    const auto envelope = command::read_envelope(*identity::decode_base64url(payload));
    REQUIRE(envelope);
    CHECK(envelope->body == R"({"config":{"environment":"default","application":"orders","version":7}})");
  }
}

TEST_CASE_METHOD(Quick, "an agent's queue is bounded, and room comes with acknowledgements and time") {
  const auto first = stop_route();
  stop_route();
  stop_route();
  const auto over = order("/api/v1/agents/orders-1/commands", kStop);
  CHECK(over.status == 503);
  CHECK(member(over, "code") == "overloaded");
  CHECK(test::header(over, "Retry-After") == "2");
  register_agent("orders-2");
  CHECK(ids_in(order("/api/v1/agents/commands?environment=default", kStop)).size() == 1);
  CHECK(acknowledge(first).status == 200);
  stop_route();
  CHECK(order("/api/v1/agents/orders-1/commands", kStop).status == 503);
  now += 60s;
  stop_route();
}

TEST_CASE_METHOD(Quick, "a caller that waits gets 504 with the command's id when nobody answers") {
  for (const auto& response :
       {order("/api/v1/agents/orders-1/commands", kTest), order("/api/v1/agents/orders-1/replay", kReplay)}) {
    CHECK(response.status == 504);
    CHECK(member(response, "code") == "upstream_timeout");
    const auto detail = member(response, "detail");
    CHECK(cell("select count(*) from agent_commands where position('' || command_id in '" + detail + "') > 0") == "1");
  }
}

TEST_CASE_METHOD(CommandsOnLoop, "a caller that waits gets the agent's answer, whichever process took it") {
  const auto other = make_process();
  auto reader = connect(*other);
  until([&] { return !reader->text.empty(); });
  auto issued = run(commands->send("orders-1", std::nullopt,
                                   {.type = command::Type::test_expression,
                                    .body = R"({"language":"simple","expression":"x"})",
                                    .issued_by = "admin"}));
  REQUIRE(issued);
  std::optional<Expected<server::CommandRecord>> answer;
  boost::asio::co_spawn(
      io, commands->wait_for_ack(*issued),
      [&](const std::exception_ptr&, Expected<server::CommandRecord> result) { answer.emplace(std::move(result)); });
  REQUIRE(run(other->look_around()));
  until([&] { return !reader->events().empty(); });
  CHECK(reader->events()[0].id == issued->id);
  CHECK_FALSE(answer);
  auto& taker = GENERATE(true, false) ? *commands : *other;
  auto done = run(taker.acknowledge(
      agent_principal("orders-1"), issued->id,
      {.state = command::State::failed, .message = "no such language", .data = R"({"result":"42"})"}));
  REQUIRE(done);
  until([&] { return answer.has_value(); });
  REQUIRE(*answer);
  CHECK((*answer)->state == command::State::failed);
  CHECK((*answer)->message == "no such language");
  CHECK(boost::json::parse(*(*answer)->data).at("result").as_string() == "42");
}
