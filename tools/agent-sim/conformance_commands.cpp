#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cameleer/identity/command_signature.hpp>

#include "agent-sim/command_probe.hpp"

namespace cameleer::sim {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

struct OrderRule {
  const char* rule;
  std::string_view order;
  const char* expected;
};

async::Task<> check_orders(Probe& probe, const AgentSession& agent) {
  const OrderRule rules[] = {
      {"an unknown type is refused", R"({"type":"reboot","payload":{}})", "400 invalid_member /type"},
      {"a payload is required", R"({"type":"route-control"})", "400 invalid_member /payload"},
      {"route-control: an unknown action is refused",
       R"({"type":"route-control","payload":{"action":"eat","routeId":"r1"}})", "400 invalid_member /payload/action"},
      {"route-control: routeId is required", R"({"type":"route-control","payload":{"action":"stop"}})",
       "400 invalid_member /payload/routeId"},
      {"deep-trace: 1 to 3600 seconds", R"({"type":"deep-trace","payload":{"durationSeconds":3601}})",
       "400 invalid_member /payload/durationSeconds"},
      {"set-traced-processors: a mode is NONE, INPUT, OUTPUT or BOTH",
       R"({"type":"set-traced-processors","payload":{"processors":{"p":"SOME"}}})", "400 invalid_member"},
      {"test-expression: language is required", R"({"type":"test-expression","payload":{"expression":"1"}})",
       "400 invalid_member /payload/language"},
      {"replay: routeId is required", R"({"type":"replay","payload":{"exchange":{},"originalExecutionId":"e"}})",
       "400 invalid_member /payload/routeId"}};
  for (const auto& rule : rules)
    probe.row(rule.rule, rule.expected, co_await send_command(probe, agent.identity().id, rule.order));
  probe.row("a command to an unknown agent is refused", "404 agent_not_found",
            co_await send_command(probe, probe.id("nobody"), kStopRoute));
  probe.row("an agent's token sends no commands", "401",
            co_await probe.post("/api/v1/agents/" + agent.identity().id + "/commands", agent.access_token(),
                                std::string(kStopRoute)));
  auto* gone = co_await probe.registered("commands-gone");
  co_await gone->deregister();
  probe.row("a command to an agent that said farewell is refused", "409 conflict",
            co_await send_command(probe, gone->identity().id, kStopRoute));
}

/// Every type travels signed, with the right envelope.
async::Task<> check_envelopes(Probe& probe, const AgentSession& agent, CommandStream& stream) {
  const std::pair<std::string_view, std::string_view> orders[] = {
      {"route-control", kStopRoute},
      {"deep-trace", R"({"type":"deep-trace","payload":{"routeId":"r1"}})"},
      {"set-traced-processors", R"({"type":"set-traced-processors","payload":{"processors":{"p1":"BOTH"}}})"},
      {"config-update", R"({"type":"config-update"})"}};
  const auto rules = rules_of(probe, agent);
  std::string nonce;
  for (const auto& [type, order] : orders) {
    const auto id = co_await issue(probe, agent, order);
    auto event = co_await stream.next_event(10s);
    const std::string name(type);
    probe.row(name + ": the event is named after it, and has the command's id", name + " " + id,
              event && *event ? fmt::format("{} {}", (*event)->name, (*event)->id) : described(event));
    if (!event || !*event) continue;
    const auto judgement = judge(**event, rules, agent.now());
    probe.row(name + ": signature, key, type, tenant, environment, agent and expiry are right", "taken",
              judgement.refused.empty() ? "taken" : "refused." + judgement.refused);
    probe.row(name + ": the envelope names the command", id, judgement.envelope.command_id);
    probe.row(name + ": its nonce is new", "new",
              judgement.envelope.nonce.size() >= 16 && judgement.envelope.nonce != nonce ? "new" : "old");
    nonce = judgement.envelope.nonce;
    auto forged = **event;
    const auto at = forged.data.find("\"payload\":\"") + 20;
    forged.data[at] = forged.data[at] == 'A' ? 'B' : 'A';
    probe.row(name + ": one letter of the payload changed does not verify", "signature",
              judge(forged, rules, agent.now()).refused);
    auto acked = co_await acknowledge(probe, agent, id, R"({"status":"SUCCESS"})");
    probe.row(name + ": it is acknowledged", "200", acked);
    if (type == "config-update") {
      const auto body = json::parse(judgement.envelope.body.empty() ? "{}" : judgement.envelope.body);
      const auto* config = body.is_object() ? body.get_object().if_contains("config") : nullptr;
      probe.row("config-update: the server fills in the configuration", "all there",
                config ? lacking(*config, {"version", "mergedSensitiveKeys"}) : "no config");
    }
  }
}

async::Task<> check_acknowledgements(Probe& probe, const AgentSession& agent, const AgentSession& other,
                                     CommandStream& stream) {
  const auto id = co_await issue(probe, agent, kStopRoute);
  co_await stream.next_event(10s);
  probe.row("a status is SUCCESS or FAILURE", "400 invalid_member /status",
            co_await acknowledge(probe, agent, id, R"({"status":"MAYBE"})"));
  const auto long_message = json::serialize(json::object{{"status", "SUCCESS"}, {"message", json::string(4097, 'm')}});
  probe.row("a message has 4096 characters at most", "400 invalid_member /message",
            co_await acknowledge(probe, agent, id, long_message));
  const auto large = json::serialize(
      json::object{{"status", "SUCCESS"}, {"data", json::object{{"a", json::string(257 * 1024, 'd')}}}});
  auto too_large = co_await acknowledge(probe, agent, id, large);
  probe.row("data has 256 KiB at most", "refused",
            too_large && (too_large->status == 400 || too_large->status == 413) ? "refused" : said(too_large));
  probe.row("another agent's acknowledgement is refused", "403 foreign_agent",
            co_await acknowledge(probe, other, id, R"({"status":"SUCCESS"})"));
  probe.row("an unknown command is not acknowledged", "404 command_not_found",
            co_await acknowledge(probe, agent, "00000000-0000-4000-8000-000000000000", R"({"status":"SUCCESS"})"));
  const std::string failure = R"({"status":"FAILURE","message":"There is no route r1 here."})";
  auto first = co_await acknowledge(probe, agent, id, failure);
  probe.row("a failure is taken", "200", first);
  probe.row("the answer says the state", "FAILED", first ? text_member(json_in(*first), "state") : said(first));
  probe.row("the command shows it", "FAILED", co_await state_of(probe, agent, id));
  probe.row("the same word again is fine", "200", co_await acknowledge(probe, agent, id, failure));
  probe.row("another word is refused", "409 command_settled",
            co_await acknowledge(probe, agent, id, R"({"status":"SUCCESS"})"));
}

/// What an administrator's waiting call was answered.
struct Waiting {
  std::optional<Probe::Answer> answer;
};

async::Task<> wait_for_answer(Probe* probe, std::string target, std::string body, std::shared_ptr<Waiting> waiting) {
  waiting->answer = co_await probe->admin().send_json(web::Method::post, std::move(target), std::move(body));
}

async::Task<> check_waiting(Probe& probe, const AgentSession& agent, CommandStream& stream, std::string type,
                            std::string target, std::string body, std::string data) {
  const auto waiting = std::make_shared<Waiting>();
  boost::asio::co_spawn(probe.executor(), wait_for_answer(&probe, std::move(target), std::move(body), waiting),
                        boost::asio::detached);
  auto event = co_await stream.next_event(10s);
  probe.row(type + ": it travels", type, event && *event ? (*event)->name : described(event));
  if (event && *event)
    co_await acknowledge(probe, agent, (*event)->id, fmt::format(R"({{"status":"SUCCESS","data":{}}})", data));
  const auto until = std::chrono::steady_clock::now() + 35s;
  while (!waiting->answer && std::chrono::steady_clock::now() < until)
    co_await async::sleep_for(probe.executor(), 20ms);
  if (!waiting->answer) co_return probe.row(type + ": the call waits for the acknowledgement", "200", "nothing");
  probe.row(type + ": the call waits for the acknowledgement", "200", *waiting->answer);
  const auto answer = *waiting->answer ? json_in(**waiting->answer) : json::value();
  const auto* given = answer.is_object() ? answer.get_object().if_contains("data") : nullptr;
  // Members may come in another order.
  const bool same = given && *given == json::parse(data);
  probe.row(type + ": and gives its data", "the same", same ? "the same" : given ? json::serialize(*given) : "none");
}

std::string reached(const Probe::Answer& answer, const AgentSession& agent) {
  if (!answer || answer->status != 202) return said(answer);
  return answer->body.find('"' + agent.identity().id + '"') != std::string::npos ? "reached" : "not reached";
}

async::Task<> check_groups(Probe& probe, const AgentSession& agent, CommandStream& stream) {
  const auto environment = "?environment=" + web::percent_encode(probe.options().environment);
  const std::string order(kStopRoute);
  const auto application = web::percent_encode(agent.identity().application);
  for (const auto& target :
       {"/api/v1/agents/groups/" + application + "/commands", std::string("/api/v1/agents/commands")}) {
    const auto to =
        target.find("groups") == std::string::npos ? std::string("an environment") : std::string("an application");
    probe.row(fmt::format("commands to {} need the environment", to), "400 invalid_parameter",
              co_await probe.admin().send_json(web::Method::post, target, order));
    probe.row(fmt::format("a command to {} reaches its agents", to), "reached",
              reached(co_await probe.admin().send_json(web::Method::post, target + environment, order), agent));
    auto event = co_await stream.next_event(10s);
    probe.row(fmt::format("a command to {} comes through the stream", to), "route-control",
              event && *event ? (*event)->name : described(event));
    if (event && *event) co_await acknowledge(probe, agent, (*event)->id, R"({"status":"SUCCESS"})");
  }
}

}  // namespace

async::Task<> check_commands(Probe& probe) {
  probe.area("commands");
  auto* agent = co_await probe.registered("commands", probe.id("commands-app"));
  auto* other = co_await probe.registered("commands-other");
  co_await check_orders(probe, *agent);
  auto stream = co_await CommandStream::open(probe.executor(), probe.options().server, *agent, {});
  if (!stream) co_return probe.row("the stream opens", "200", stream.error().message);
  co_await check_envelopes(probe, *agent, *stream);
  co_await check_acknowledgements(probe, *agent, *other, *stream);
  const auto path = "/api/v1/agents/" + agent->identity().id,
             environment = "?environment=" + web::percent_encode(probe.options().environment);
  co_await check_waiting(
      probe, *agent, *stream, "test-expression", path + "/commands" + environment,
      R"({"type":"test-expression","payload":{"language":"simple","expression":"${body}","body":"b"}})",
      R"({"result":"b","resultType":"java.lang.String"})");
  co_await check_waiting(probe, *agent, *stream, "replay", path + "/replay" + environment,
                         R"({"routeId":"r1","exchange":{"body":"b"},"originalExecutionId":"e1"})",
                         R"({"executionId":"e2","exchangeId":"x2","status":"COMPLETED","durationMs":1})");
  co_await check_groups(probe, *agent, *stream);
}

async::Task<> check_lives(Probe& probe) {
  probe.area("lives");
  auto* agent = co_await probe.registered("lives");
  const auto path = "/api/v1/agents/" + agent->identity().id, refresh = agent->refresh_token();
  auto first = co_await probe.post(path + "/refresh", refresh, "");
  const auto successor = first ? text_member(json_in(*first), "refreshToken") : std::string();
  const auto id = co_await issue(probe, *agent, kStopRoute);
  const auto started = std::chrono::steady_clock::now();
  probe.row("test-expression without an acknowledgement ends after 30 s", "504 upstream_timeout",
            co_await send_command(probe, agent->identity().id,
                                  R"({"type":"test-expression","payload":{"language":"simple","expression":"1"}})"));
  while (std::chrono::steady_clock::now() - started < 32s) co_await async::sleep_for(probe.executor(), 100ms);
  probe.row("a refresh token spent more than 30 s ago is refused", "401",
            co_await probe.post(path + "/refresh", refresh, ""));
  probe.row("and ends its family", "401", co_await probe.post(path + "/refresh", successor, ""));
  probe.row("the agent registers again", "200", co_await agent->register_agent());
  auto* listener = co_await probe.registered("lives-stream");
  auto stream = co_await CommandStream::open(probe.executor(), probe.options().server, *listener, {});
  auto alive = stream ? co_await stream->next(5s) : Expected<std::optional<StreamEvent>>();
  if (alive && *alive) alive = co_await stream->next(20s);
  probe.row("a comment comes through a stream every 15 s", "comment", described(alive));
  while (std::chrono::steady_clock::now() - started < 66s) co_await async::sleep_for(probe.executor(), 100ms);
  probe.row("a command that nobody acknowledged for 60 s is EXPIRED", "EXPIRED",
            co_await eventual_state(probe, *agent, id, "EXPIRED"));
  probe.row("it is not acknowledged then", "409 command_settled",
            co_await acknowledge(probe, *agent, id, R"({"status":"SUCCESS"})"));
}

}  // namespace cameleer::sim
