#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "agent-sim/probe.hpp"

namespace cameleer::sim {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr const char* kExecutions = "/api/v1/data/executions";
constexpr const char* kChunks = "/api/v1/data/chunks";

json::object execution_of(const Probe& probe, std::string_view name, std::string_view status, Instant start) {
  return {{"executionId", probe.id(name)},
          {"exchangeId", "x-" + probe.id(name)},
          {"routeId", "r1"},
          {"status", json::string_view(status.data(), status.size())},
          {"startTime", format_instant(start)}};
}

json::object step_of(unsigned seq, Instant start) {
  return {{"processorId", fmt::format("p{}", seq)},
          {"processorType", "to"},
          {"seq", seq},
          {"status", "COMPLETED"},
          {"startTime", format_instant(start)}};
}

std::string value_in(const json::value& value, std::string_view pointer) {
  boost::system::error_code error;
  const auto* found = value.find_pointer(json::string_view(pointer.data(), pointer.size()), error);
  if (!found) return "absent";
  return found->is_string() ? std::string(found->get_string().c_str()) : json::serialize(*found);
}

/// How often the list of executions shows an exchange.
async::Task<std::string> times_listed(Probe& probe, std::string exchange) {
  if (auto stored = co_await probe.admin().stored(kStored); !stored) co_return stored.error().message;
  auto answer = co_await probe.admin().get(fmt::format("/api/v1/environments/{}/executions?exchangeId={}",
                                                       web::percent_encode(probe.options().environment),
                                                       web::percent_encode(exchange)));
  if (!answer || answer->status != 200) co_return said(answer);
  co_return value_in(json_in(*answer), "/total");
}

async::Task<> check_identity(Probe& probe, const AgentSession& agent, Instant start) {
  const auto& token = agent.access_token();
  auto twice = execution_of(probe, "twice", "COMPLETED", start);
  const auto body = json::serialize(json::array{twice, twice});
  const Probe::Headers key{{"Idempotency-Key", probe.id("key")}};
  for (int i = 0; i < 2; ++i) co_await probe.post(kExecutions, token, body, key);
  co_await probe.post(kExecutions, token, body);
  probe.row("the same execution, sent five times, shows once", "1",
            co_await times_listed(probe, "x-" + probe.id("twice")));

  auto running = execution_of(probe, "running", "RUNNING", start);
  co_await probe.post(kExecutions, token, json::serialize(running));
  probe.row("a running execution shows as such", "RUNNING",
            value_in(co_await shown_execution(probe, probe.id("running")), "/status"));
  auto ended = execution_of(probe, "running", "FAILED", start);
  ended["errorMessage"] = "no";
  co_await probe.post(kExecutions, token, json::serialize(ended));
  co_await probe.post(kExecutions, token, json::serialize(running));
  probe.row("its end replaces it, also when the beginning comes late", "FAILED",
            value_in(co_await shown_execution(probe, probe.id("running")), "/status"));
  probe.row("and it shows once", "1", co_await times_listed(probe, "x-" + probe.id("running")));

  auto right = execution_of(probe, "halves", "COMPLETED", start), wrong = right;
  wrong.erase("status");
  co_await probe.post(kExecutions, token, json::serialize(json::array{right, wrong}));
  probe.row("nothing of a refused request is stored", "0", co_await times_listed(probe, "x-" + probe.id("halves")));
}

async::Task<> check_content(Probe& probe, const AgentSession& agent, Instant start) {
  auto execution = execution_of(probe, "content", "PAUSED_BY_HAND", start);
  execution["environment"] = "elsewhere";
  execution["inputHeaders"] = json::object{{"authorization", "Bearer secret"}, {"orderId", "4711"}};
  execution["inputBody"] = R"({"cookie":"secret","sku":"7"})";
  auto child = step_of(9, start), parent = step_of(4, start);
  child["splitIndex"] = 1;
  parent["processorType"] = "split";
  parent["children"] = json::array{child};
  execution["processorExecutions"] = json::array{parent, step_of(1, start)};
  probe.row("a tree with numbers of its own is taken", "202",
            co_await probe.post(kExecutions, agent.access_token(), json::serialize(execution)));
  const auto shown = co_await shown_execution(probe, probe.id("content"));
  probe.row("an unknown status is kept as text", "PAUSED_BY_HAND", value_in(shown, "/status"));
  probe.row("the environment is the token's, whatever the body says", probe.options().environment,
            value_in(shown, "/environment"));
  probe.row("application defaults to the token's", "conformance", value_in(shown, "/application"));
  probe.row("instanceId defaults to the agent", agent.identity().id, value_in(shown, "/instanceId"));
  probe.row(
      "in a tree the places count", "p9 of p4",
      value_in(shown, "/processors/0/children/0/processorId") + " of " + value_in(shown, "/processors/0/processorId"));
  probe.row("split indices are kept", "1", value_in(shown, "/processors/0/children/0/splitIndex"));
  const auto text = json::serialize(shown);
  probe.row(
      "secrets in headers and bodies are masked here again", "masked",
      text.find("secret") == std::string::npos && text.find("4711") != std::string::npos ? "masked" : "not masked");
}

async::Task<> check_chunks(Probe& probe, const AgentSession& agent, Instant start) {
  const auto& token = agent.access_token();
  const json::object last{{"exchange", execution_of(probe, "chunks", "COMPLETED", start)},
                          {"processors", json::array{step_of(1, start)}},
                          {"chunkSeq", 1},
                          {"final", true}};
  const json::object first{{"exchange", execution_of(probe, "chunks", "RUNNING", start)},
                           {"processors", json::array{step_of(0, start)}},
                           {"chunkSeq", 0},
                           {"final", false}};
  probe.row("the last chunk may come first", "202", co_await probe.post(kChunks, token, json::serialize(last)));
  probe.row("the first comes after", "202", co_await probe.post(kChunks, token, json::serialize(first)));
  co_await probe.post(kChunks, token, json::serialize(first));
  const auto shown = co_await shown_execution(probe, probe.id("chunks"));
  probe.row("the end wins in whatever order", "COMPLETED", value_in(shown, "/status"));
  const auto* steps = shown.is_object() ? shown.get_object().if_contains("processors") : nullptr;
  probe.row("the processors of all chunks are there, once", "2",
            steps && steps->is_array() ? std::to_string(steps->get_array().size()) : "none");
  probe.row("and it shows once", "1", co_await times_listed(probe, "x-" + probe.id("chunks")));
  auto with_steps = first;
  with_steps["exchange"].as_object()["processorExecutions"] = json::array{step_of(0, start)};
  probe.row("the exchange of a chunk carries no processors", "400 invalid_member",
            co_await probe.post(kChunks, token, json::serialize(with_steps)));
}

}  // namespace

async::Task<> check_executions(Probe& probe) {
  probe.area("executions");
  auto* agent = co_await probe.registered("executions");
  const auto start = agent->now() - 2s;
  co_await check_identity(probe, *agent, start);
  co_await check_content(probe, *agent, start);
  co_await check_chunks(probe, *agent, start);
}

}  // namespace cameleer::sim
