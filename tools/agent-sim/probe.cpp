#include "agent-sim/probe.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace cameleer::sim {

Probe::Probe(async::Executor executor, ConformanceOptions options, std::string run)
    : executor_(executor),
      options_(std::move(options)),
      run_(std::move(run)),
      client_(executor, options_.server, {.tls_ca_file = {}}),
      admin_(executor, options_.server, options_.username, options_.password) {}

void Probe::row(std::string rule, std::string expected, std::string got) {
  const bool ok = got == expected || got.starts_with(expected + " ");
  rows_.push_back({area_, std::move(rule), std::move(expected), std::move(got), ok});
}

void Probe::row(std::string rule, std::string expected, const Answer& answer) {
  row(std::move(rule), std::move(expected), said(answer));
}

async::Task<Probe::Answer> Probe::raw(web::Method method, std::string target, Headers headers, std::string body) {
  return client_.send(
      {.method = method, .target = std::move(target), .headers = std::move(headers), .body = std::move(body)});
}

async::Task<Probe::Answer> Probe::post(std::string target, std::string bearer, std::string body, Headers more) {
  more.push_back({"Authorization", "Bearer " + bearer});
  more.push_back({"Content-Type", "application/json"});
  return raw(web::Method::post, std::move(target), std::move(more), std::move(body));
}

AgentSession& Probe::agent(std::string_view name, std::string application, std::string api_key) {
  AgentIdentity identity{id(name),
                         std::move(application),
                         options_.environment,
                         api_key.empty() ? options_.api_key : std::move(api_key),
                         {"r1", "r2"}};
  agents_.push_back(std::make_unique<AgentSession>(executor_, options_.server, std::move(identity), 2));
  return *agents_.back();
}

async::Task<AgentSession*> Probe::registered(std::string_view name, std::string application, std::string api_key) {
  auto& made = agent(name, std::move(application), std::move(api_key));
  auto answer = co_await made.register_agent();
  if (!answer || answer->status != 200) row(fmt::format("agent {} is registered", made.identity().id), "200", answer);
  co_return &made;
}

std::string said(const Probe::Answer& answer) {
  if (!answer) return fmt::format("no answer: {}", answer.error().message);
  auto text = std::to_string(answer->status);
  if (answer->status < 400) return text;
  const auto problem = json_in(*answer);
  for (const auto* member : {"code", "member"}) {
    if (const auto value = text_member(problem, member); !value.empty()) text += " " + value;
  }
  return text;
}

async::Task<boost::json::value> shown_agent(Probe& probe, std::string id) {
  auto answer = co_await probe.admin().get(
      fmt::format("/api/v1/environments/{}/agents", web::percent_encode(probe.options().environment)));
  if (!answer) co_return nullptr;
  const auto body = json_in(*answer);
  const auto* object = body.if_object();
  const auto* items = object ? object->if_contains("items") : nullptr;
  if (!items || !items->is_array()) co_return nullptr;
  for (const auto& item : items->get_array()) {
    if (text_member(item, "agentId") == id) co_return item;
  }
  co_return nullptr;
}

async::Task<boost::json::value> shown_execution(Probe& probe, std::string id) {
  if (!co_await probe.admin().stored(kStored)) co_return nullptr;
  auto answer = co_await probe.admin().get(fmt::format("/api/v1/environments/{}/executions/{}",
                                                       web::percent_encode(probe.options().environment),
                                                       web::percent_encode(id)));
  if (!answer || answer->status != 200) co_return nullptr;
  co_return json_in(*answer);
}

std::string lacking(const boost::json::value& value, std::initializer_list<std::string_view> names) {
  const auto* object = value.if_object();
  std::string missing;
  for (const auto name : names) {
    if (object && object->contains(boost::json::string_view(name.data(), name.size()))) continue;
    missing += missing.empty() ? "no " : ", ";
    missing += name;
  }
  return missing.empty() ? "all there" : missing;
}

}  // namespace cameleer::sim
