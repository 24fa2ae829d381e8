#include "server/agents/agent_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

namespace cameleer::server {

boost::json::value parse_json(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = 128;
  return boost::json::parse(text, {}, options);
}

boost::json::object json_of(const agent::Record& record) {
  boost::json::object body;
  body["agentId"] = record.key.id;
  body["displayName"] = record.description.display_name;
  body["application"] = record.description.application;
  body["environment"] = record.key.environment;
  body["state"] = agent::name_of(record.state);
  if (!record.description.version.empty()) body["version"] = record.description.version;
  if (!record.description.camel_version.empty()) body["camelVersion"] = record.description.camel_version;
  if (!record.description.runtime.empty()) body["runtime"] = record.description.runtime;
  boost::json::array routes;
  for (const auto& id : record.description.route_ids) routes.emplace_back(id);
  body["routeIds"] = std::move(routes);
  boost::json::object states;
  for (const auto& [route, state] : record.route_states) states[route] = state;
  body["routeStates"] = std::move(states);
  body["capabilities"] = parse_json(record.description.capabilities);
  body["registeredAt"] = format_instant(record.registered_at);
  body["lastHeartbeatAt"] = format_instant(record.last_heartbeat_at);
  if (record.clock_skew_ms) body["clockSkewMs"] = *record.clock_skew_ms;
  return body;
}

}  // namespace cameleer::server
