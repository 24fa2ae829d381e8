#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "agent-sim/body_coding.hpp"
#include "agent-sim/probe.hpp"

namespace cameleer::sim {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

std::string at(const AgentSession& agent, std::chrono::milliseconds ahead) {
  return format_instant(agent.now() + ahead);
}

/// A right element of each kind, and what it cannot be without.
struct Kind {
  const char* name;
  json::object element;
  std::vector<std::string> required;
  const char* time;  ///< member that says when it was; empty: it has none
  std::size_t most;
};

std::vector<Kind> kinds(const Probe& probe, const AgentSession& agent) {
  const auto now = at(agent, -1s);
  const json::object execution{{"executionId", probe.id("data")},
                               {"exchangeId", "x1"},
                               {"routeId", "r1"},
                               {"status", "RUNNING"},
                               {"startTime", now}};
  return {
      {"executions", execution, {"executionId", "exchangeId", "routeId", "status", "startTime"}, "startTime", 10'000},
      {"chunks",
       {{"exchange", execution}, {"processors", json::array{}}, {"chunkSeq", 0}},
       {"exchange", "chunkSeq"},
       "",
       10'000},
      {"logs",
       {{"timestamp", now}, {"level", "INFO"}, {"message", "hello"}},
       {"timestamp", "level"},
       "timestamp",
       10'000},
      {"metrics",
       {{"metricName", "jvm.threads"}, {"value", 12.5}, {"timestamp", now}},
       {"metricName", "value", "timestamp"},
       "timestamp",
       10'000},
      {"events",
       {{"type", "ROUTE_STATE_CHANGED"}, {"timestamp", now}, {"detail", json::object{{"routeId", "r1"}}}},
       {"type", "timestamp"},
       "timestamp",
       10'000},
      {"diagrams", {{"routeId", "r1"}, {"nodes", json::array{}}, {"edges", json::array{}}}, {"routeId"}, "", 1'000}};
}

json::array repeated(const json::object& element, std::size_t count) {
  json::array list;
  for (std::size_t i = 0; i < count; ++i) list.emplace_back(element);
  return list;
}

std::string rejected_as(const Probe::Answer& answer) {
  if (!answer || answer->status != 202) return said(answer);
  const auto body = json_in(*answer);
  const auto* list = body.is_object() ? body.get_object().if_contains("rejected") : nullptr;
  return "202 " + (list ? json::serialize(*list) : std::string("nothing rejected"));
}

async::Task<> check_kind(Probe& probe, const AgentSession& agent, const Kind& kind) {
  const auto path = std::string("/api/v1/data/") + kind.name;
  const auto send = [&](std::string body) { return probe.post(path, agent.access_token(), std::move(body)); };
  const auto rule = [&](std::string_view text) { return fmt::format("{}: {}", kind.name, text); };
  auto one = co_await send(json::serialize(kind.element));
  probe.row(rule("one object is taken"), "202", one);
  probe.row(rule("the answer counts"), R"({"accepted":2})", [](const Probe::Answer& answer) {
    return answer ? answer->body : std::string();
  }(co_await send(json::serialize(json::array{kind.element, kind.element}))));
  for (const auto& name : kind.required) {
    auto element = kind.element;
    element.erase(name);
    // The second of two, so that its place is told.
    probe.row(rule(name + " is required, and its place is told"), "400 invalid_member /1/" + name,
              co_await send(json::serialize(json::array{kind.element, element})));
  }
  auto unknown = kind.element;
  unknown["somethingNew"] = json::object{{"deep", {1, 2}}};
  probe.row(rule("an unknown member is ignored"), "202", co_await send(json::serialize(unknown)));
  probe.row(rule("a number is no element"), "400", co_await send("[7]"));
  probe.row(rule("text is no body"), "400", co_await send("\"text\""));
  probe.row(rule("a body that is no JSON is refused"), "400 malformed_body", co_await send("[{]"));
  probe.row(rule("an empty body is refused"), "400 malformed_body", co_await send(""));
  const auto limit = fmt::format("more than {} elements are refused", kind.most);
  probe.row(rule(limit), "400", co_await send(json::serialize(repeated(kind.element, kind.most + 1))));
  if (*kind.time) {
    auto late = kind.element, soon = kind.element;
    late[kind.time] = "1999-01-01T00:00:00Z";
    soon[kind.time] = at(agent, 25h);
    probe.row(rule("what is too old or too new is refused alone, and listed"),
              R"(202 [{"index":0,"reason":"too_old"},{"index":2,"reason":"in_future"}])",
              rejected_as(co_await send(json::serialize(json::array{late, kind.element, soon}))));
    auto wrong = kind.element;
    wrong[kind.time] = "yesterday";
    probe.row(rule("a time is an instant with an offset"), std::string("400 invalid_member /") + kind.time,
              co_await send(json::serialize(wrong)));
  }
  const Probe::Headers text_type{{"Authorization", "Bearer " + agent.access_token()}, {"Content-Type", "text/plain"}};
  probe.row(rule("another content type is refused"), "415 unsupported_media_type",
            co_await probe.raw(web::Method::post, path, text_type, json::serialize(kind.element)));
  const Probe::Headers json_type{{"Content-Type", "application/json"}};
  probe.row(rule("a token is needed"), "401",
            co_await probe.raw(web::Method::post, path, json_type, json::serialize(kind.element)));
  const Probe::Headers version{{"X-Protocol-Version", "2"}};
  probe.row(rule("another protocol version is refused"), "400 unsupported_version",
            co_await probe.post(path, agent.access_token(), json::serialize(kind.element), version));
}

async::Task<> check_codings(Probe& probe, const AgentSession& agent, const json::object& element) {
  const std::string path = "/api/v1/data/logs";
  const auto body = json::serialize(json::array{element});
  for (const auto coding : {Coding::gzip, Coding::zstd}) {
    const Probe::Headers coded{{"Content-Encoding", std::string(name_of(coding))}};
    probe.row(fmt::format("Content-Encoding {} is understood", name_of(coding)), "202",
              co_await probe.post(path, agent.access_token(), encode(body, coding), coded));
    auto cut = encode(body, coding);
    cut.resize(cut.size() - 3);
    probe.row(fmt::format("a {} body that is cut off is refused", name_of(coding)), "400 malformed_body",
              co_await probe.post(path, agent.access_token(), cut, coded));
    probe.row(fmt::format("a body that is no {} is refused", name_of(coding)), "400 malformed_body",
              co_await probe.post(path, agent.access_token(), body, coded));
  }
  const Probe::Headers deflate{{"Content-Encoding", "deflate"}};
  probe.row("another encoding is refused", "415 unsupported_encoding",
            co_await probe.post(path, agent.access_token(), body, deflate));
  // The default bound; an operator may have set another.
  probe.row("a body of more than 16 MiB is refused", "413 body_too_large",
            co_await probe.post(path, agent.access_token(), "[\"" + std::string((16u << 20) + 1, 'x') + "\"]"));
  const Probe::Headers gzip{{"Content-Encoding", "gzip"}};
  probe.row("more than four times that after decompression is refused", "413 body_too_large",
            co_await probe.post(path, agent.access_token(),
                                encode("[" + std::string((64u << 20) + 1, ' ') + "]", Coding::gzip), gzip));
}

async::Task<> check_members(Probe& probe, const AgentSession& agent, const std::vector<Kind>& all) {
  struct MemberRule {
    const char* rule;
    std::size_t kind;
    const char* member;
    json::value value;
    const char* expected;
  };
  const MemberRule rules[] = {
      {"an id has 256 characters at most", 0, "executionId", json::string(257, 'a'), "400 invalid_member /executionId"},
      {"durationMs is a whole number", 0, "durationMs", 1.5, "400 invalid_member /durationMs"},
      {"headers are texts", 0, "inputHeaders", json::object{{"a", json::array{1}}}, "400 invalid_member"},
      {"a processor needs its id", 0, "processorExecutions",
       json::array{
           json::object{{"processorType", "to"}, {"status", "COMPLETED"}, {"startTime", "2026-01-01T00:00:00Z"}}},
       "400 invalid_member /processorExecutions/0/processorId"},
      {"chunkSeq is not negative", 1, "chunkSeq", -1, "400 invalid_member /chunkSeq"},
      {"a chunk of a running execution is not the last", 1, "final", true, "400 invalid_member /final"},
      {"a chunk's processor needs seq", 1, "processors",
       json::array{json::object{{"processorId", "p"},
                                {"processorType", "to"},
                                {"status", "COMPLETED"},
                                {"startTime", "2026-01-01T00:00:00Z"}}},
       "400 invalid_member /processors/0/seq"},
      {"a level has 32 characters at most", 2, "level", json::string(33, 'A'), "400 invalid_member /level"},
      {"an unknown level is kept as text", 2, "level", "NOTICE", "202"},
      {"a metric's value is a number", 3, "value", "12", "400 invalid_member /value"},
      {"an event's detail is an object", 4, "detail", "text", "400 invalid_member /detail"},
      {"an event's detail has 64 KiB at most", 4, "detail", json::object{{"a", json::string(70'000, 'x')}},
       "400 invalid_member /detail"},
      {"a diagramHash has 128 characters at most", 5, "diagramHash", json::string(129, 'a'),
       "400 invalid_member /diagramHash"},
      {"a diagram's nodes are an array", 5, "nodes", "text", "400 invalid_member /nodes"}};
  for (const auto& rule : rules) {
    auto element = all[rule.kind].element;
    element[rule.member] = rule.value;
    const auto path = std::string("/api/v1/data/") + all[rule.kind].name;
    probe.row(fmt::format("{}: {}", all[rule.kind].name, rule.rule), rule.expected,
              co_await probe.post(path, agent.access_token(), json::serialize(element)));
  }
  const Probe::Headers key{{"Idempotency-Key", std::string(129, 'k')}};
  probe.row("an Idempotency-Key has 128 characters at most", "400 invalid_parameter",
            co_await probe.post("/api/v1/data/logs", agent.access_token(), json::serialize(all[2].element), key));
}

}  // namespace

async::Task<> check_data(Probe& probe) {
  probe.area("data");
  auto* agent = co_await probe.registered("data");
  const auto all = kinds(probe, *agent);
  for (const auto& kind : all) co_await check_kind(probe, *agent, kind);
  co_await check_members(probe, *agent, all);
  co_await check_codings(probe, *agent, all[2].element);
}

}  // namespace cameleer::sim
