#include "agent-sim/command_probe.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace cameleer::sim {
namespace {

std::string path_of(const Probe& probe, std::string_view agent_id, std::string_view rest) {
  return fmt::format("/api/v1/agents/{}/commands{}?environment={}", web::percent_encode(agent_id), rest,
                     web::percent_encode(probe.options().environment));
}

}  // namespace

async::Task<Probe::Answer> send_command(Probe& probe, std::string agent_id, std::string_view order) {
  return probe.admin().send_json(web::Method::post, path_of(probe, agent_id, ""), std::string(order));
}

async::Task<std::string> issue(Probe& probe, const AgentSession& agent, std::string_view order) {
  auto answer = co_await send_command(probe, agent.identity().id, order);
  if (!answer || answer->status != 202) co_return said(answer);
  boost::system::error_code error;
  const auto body = json_in(*answer);
  const auto* first = body.find_pointer("/commands/0", error);
  co_return first ? text_member(*first, "commandId") : std::string("202 without a command");
}

async::Task<Probe::Answer> acknowledge(Probe& probe, const AgentSession& agent, std::string command_id,
                                       std::string body) {
  return probe.post(fmt::format("/api/v1/agents/{}/commands/{}/ack", web::percent_encode(agent.identity().id),
                                web::percent_encode(command_id)),
                    agent.access_token(), std::move(body));
}

async::Task<std::string> state_of(Probe& probe, const AgentSession& agent, std::string command_id) {
  auto answer = co_await probe.admin().get(path_of(probe, agent.identity().id, "/" + web::percent_encode(command_id)));
  if (!answer || answer->status != 200) co_return said(answer);
  co_return text_member(json_in(*answer), "state");
}

async::Task<std::string> eventual_state(Probe& probe, const AgentSession& agent, std::string command_id,
                                        std::string wanted) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  for (;;) {
    auto state = co_await state_of(probe, agent, command_id);
    if (state == wanted || std::chrono::steady_clock::now() > until) co_return state;
    co_await async::sleep_for(probe.executor(), std::chrono::milliseconds(50));
  }
}

std::string described(const Expected<std::optional<StreamEvent>>& event) {
  if (!event) return event.error().message;
  if (!*event) return "ended";
  return (*event)->comment ? "comment" : "event " + (*event)->name;
}

std::string id_of_event(const Expected<std::optional<StreamEvent>>& event) {
  return event && *event ? (*event)->id : described(event);
}

CommandRules rules_of(const Probe& probe, const AgentSession& agent) {
  const auto& registration = agent.registration();
  CommandRules rules{text_member(registration, "serverPublicKey"), text_member(registration, "serverKeyId"),
                     text_member(registration, "tenantId"), probe.options().environment, agent.identity().id};
  if (const auto time = parse_instant(text_member(registration, "serverTime")))
    rules.server_ahead = *time - agent.now();
  return rules;
}

}  // namespace cameleer::sim
