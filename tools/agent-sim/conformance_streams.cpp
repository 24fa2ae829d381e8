#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "agent-sim/command_probe.hpp"

namespace cameleer::sim {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

using Opened = Expected<CommandStream>;

async::Task<Opened> open(Probe& probe, const AgentSession& agent, CommandStream::Opening opening = {}) {
  return CommandStream::open(probe.executor(), probe.options().server, agent, std::move(opening));
}

std::string status_of(const Opened& opened) {
  return opened ? std::to_string(opened->status()) : opened.error().message;
}

async::Task<> check_opening(Probe& probe, AgentSession& agent, AgentSession& other) {
  auto opened = co_await open(probe, agent);
  probe.row("an agent opens its stream", "200", status_of(opened));
  if (!opened) co_return;
  probe.row("it is text/event-stream", "text/event-stream", opened->content_type().substr(0, 17));
  auto first = co_await opened->next(5s);
  probe.row("a comment comes at once", "comment", first && *first && (*first)->comment ? "comment" : described(first));
  probe.row("another agent's stream is refused", "403",
            status_of(co_await open(probe, agent, {.agent_id = other.identity().id})));
  probe.row("a stream needs a token", "401",
            co_await probe.raw(web::Method::get, "/api/v1/agents/" + agent.identity().id + "/events", {}));
  auto by_query = co_await open(probe, agent, {.token_in_query = true});
  probe.row("the token may stand in ?token=", "200", status_of(by_query));
  auto end = co_await opened->next_event(5s);
  probe.row("a second stream closes the first", "ended", described(end));
  probe.row("?token= counts on this path only", "401",
            co_await probe.raw(web::Method::get,
                               "/api/v1/agents/config?token=" + web::percent_encode(agent.access_token()), {}));
}

async::Task<> check_redelivery(Probe& probe, AgentSession& agent) {
  const auto one = co_await issue(probe, agent, kStopRoute);
  probe.row("without a stream a command is PENDING", "PENDING", co_await state_of(probe, agent, one));
  auto opened = co_await open(probe, agent);
  auto event = opened ? co_await opened->next_event(10s) : Expected<std::optional<StreamEvent>>();
  probe.row("it is delivered when the agent connects", one, id_of_event(event));
  probe.row("it is DELIVERED then", "DELIVERED", co_await eventual_state(probe, agent, one, "DELIVERED"));
  const auto two = co_await issue(probe, agent, kStopRoute);
  if (opened) co_await opened->next_event(10s);
  const auto three = co_await issue(probe, agent, kStopRoute);
  if (opened) co_await opened->next_event(10s);
  auto again = co_await open(probe, agent, {.last_event_id = one});
  auto second = again ? co_await again->next_event(10s) : Expected<std::optional<StreamEvent>>();
  auto third = again ? co_await again->next_event(10s) : Expected<std::optional<StreamEvent>>();
  probe.row("Last-Event-ID brings what came after it again, delivered or not", two + " " + three,
            id_of_event(second) + " " + id_of_event(third));
  auto unknown = co_await open(probe, agent, {.last_event_id = "00000000-0000-4000-8000-000000000000"});
  const auto four = co_await issue(probe, agent, kStopRoute);
  auto next = unknown ? co_await unknown->next_event(10s) : Expected<std::optional<StreamEvent>>();
  probe.row("with an unknown one only pending commands come", four, id_of_event(next));
  for (const auto& id : {one, two, three, four}) co_await acknowledge(probe, agent, id, R"({"status":"SUCCESS"})");
}

async::Task<> check_revocation(Probe& probe) {
  const auto keys =
      fmt::format("/api/v1/admin/environments/{}/api-keys", web::percent_encode(probe.options().environment));
  auto made = co_await probe.admin().send_json(web::Method::post, keys,
                                               json::serialize(json::object{{"label", probe.id("key")}}));
  probe.row("an administrator makes an API key", "201", made);
  const auto key = made ? json_in(*made) : json::value();
  auto* agent = co_await probe.registered("revoked", "conformance", text_member(key, "secret"));
  auto opened = co_await open(probe, *agent);
  if (opened) co_await opened->next(5s);
  auto revoked =
      co_await probe.admin().send({.method = web::Method::del, .target = keys + "/" + text_member(key, "id")});
  probe.row("and revokes it", "204", revoked);
  const auto since = std::chrono::steady_clock::now();
  auto event = opened ? co_await opened->next_event(5s) : Expected<std::optional<StreamEvent>>();
  const auto after = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - since);
  probe.row("the streams of its agents end with reauth", "reauth",
            event && *event ? fmt::format("{} after {} ms", (*event)->name, after.count()) : described(event));
  auto end = opened ? co_await opened->next_event(3s) : Expected<std::optional<StreamEvent>>();
  probe.row("and close", "ended", described(end));
  probe.row("its tokens count no more", "401", co_await agent->heartbeat());
  probe.row("its refresh tokens too", "401",
            co_await probe.post("/api/v1/agents/" + agent->identity().id + "/refresh", agent->refresh_token(), ""));
  probe.row("it registers nobody", "401", co_await agent->register_agent());
}

}  // namespace

async::Task<> check_streams(Probe& probe) {
  probe.area("stream");
  auto* agent = co_await probe.registered("stream");
  auto* other = co_await probe.registered("stream-other");
  co_await check_opening(probe, *agent, *other);
  co_await check_redelivery(probe, *agent);
  co_await check_revocation(probe);
}

}  // namespace cameleer::sim
