#pragma once
#include "agent-sim/probe.hpp"

/// What the rules about streams and commands share.
namespace cameleer::sim {

inline constexpr std::string_view kStopRoute = R"({"type":"route-control","payload":{"action":"stop","routeId":"r1"}})";

/// Sends a command to one agent; its id, or what was answered instead.
async::Task<std::string> issue(Probe& probe, const AgentSession& agent, std::string_view order);
/// Posts to the commands of an agent.
async::Task<Probe::Answer> send_command(Probe& probe, std::string agent_id, std::string_view order);
async::Task<Probe::Answer> acknowledge(Probe& probe, const AgentSession& agent, std::string command_id,
                                       std::string body);
/// State of a command as the API shows it.
async::Task<std::string> state_of(Probe& probe, const AgentSession& agent, std::string command_id);
/// The same, when it is `wanted` or ten seconds have passed: delivery is noted after the bytes are written.
async::Task<std::string> eventual_state(Probe& probe, const AgentSession& agent, std::string command_id,
                                        std::string wanted);

/// The name of an event, `ended`, or why there is none.
std::string described(const Expected<std::optional<StreamEvent>>& event);
std::string id_of_event(const Expected<std::optional<StreamEvent>>& event);
CommandRules rules_of(const Probe& probe, const AgentSession& agent);

}  // namespace cameleer::sim
