#include "server/claim_mappings/claim_mapping_json.hpp"

#include <boost/json/array.hpp>

namespace cameleer::server {
namespace {

namespace json = boost::json;

constexpr std::int64_t kFarthestPriority = 1'000'000;

std::unexpected<Error> refuse(const std::string& at, std::string_view rule) {
  return fail(ErrorCode::invalid_member, fmt::format("{}: {}", at, rule), at);
}

Expected<std::string> text_in(const json::object& object, const std::string& at, std::string_view member) {
  const auto pointer = fmt::format("{}/{}", at, member);
  const auto* value = object.if_contains(member);
  if (value == nullptr || value->is_null()) return refuse(pointer, "is required");
  if (!value->is_string()) return refuse(pointer, "must be a string");
  return std::string(value->as_string());
}

/// The names that rules have here, for those of the core.
std::string member_of(std::string_view core_member) {
  return core_member == "/value" ? "/matchValue" : std::string(core_member);
}

json::array names_of(const std::vector<claims::Assigned>& given) {
  json::array names;
  for (const auto& one : given) names.emplace_back(one.name);
  return names;
}

json::array json_of(const std::vector<claims::Assigned>& given) {
  json::array items;
  for (const auto& one : given) {
    json::object item;
    item["name"] = one.name;
    item["source"] = claims::name_of(one.source);
    if (!one.rule_id.empty()) item["ruleId"] = one.rule_id;
    items.push_back(std::move(item));
  }
  return items;
}

json::object json_of(const claims::Rule& rule) {
  json::object item;
  item["ruleId"] = rule.id;
  item["priority"] = rule.priority;
  item["claim"] = rule.claim;
  item["matchType"] = claims::name_of(rule.match);
  item["matchValue"] = rule.value;
  item["action"] = claims::name_of(rule.action);
  item["target"] = rule.target;
  return item;
}

json::object json_of(const Simulation::Names& names) {
  json::object object;
  json::array add, remove;
  for (const auto& name : names.add) add.emplace_back(name);
  for (const auto& name : names.remove) remove.emplace_back(name);
  object["added"] = std::move(add);
  object["removed"] = std::move(remove);
  return object;
}

}  // namespace

json::object json_of(const StoredRule& stored) {
  auto item = json_of(stored.rule);
  item["id"] = stored.rule.id;
  item.erase("ruleId");
  item["createdAt"] = format_instant(stored.created_at);
  item["updatedAt"] = format_instant(stored.updated_at);
  return item;
}

json::object json_of(const Simulation& simulation) {
  json::array rules, matched;
  for (const auto& trace : simulation.outcome.trace) {
    auto item = json_of(trace.rule);
    if (trace.verdict == claims::Verdict::matched) matched.push_back(item);
    item["verdict"] = claims::name_of(trace.verdict);
    json::array read;
    for (const auto& element : trace.read) read.emplace_back(element);
    item["read"] = std::move(read);
    item["explanation"] = trace.explanation;
    rules.push_back(std::move(item));
  }
  json::object body;
  body["rules"] = std::move(rules);
  body["matchedRules"] = std::move(matched);
  body["effectiveRoles"] = names_of(simulation.outcome.roles);
  body["effectiveGroups"] = names_of(simulation.outcome.groups);
  body["roles"] = json_of(simulation.outcome.roles);
  body["groups"] = json_of(simulation.outcome.groups);
  body["fallback"] = simulation.outcome.fallback;
  body["refused"] = simulation.outcome.refused;
  body["overage"] = simulation.outcome.overage;
  if (const auto refusal = refusal_of(simulation.outcome)) {
    body["refusal"] = json::object{{"code", name_of(refusal->code)}, {"message", refusal->message}};
  }
  if (simulation.token_was_decoded) {
    body["tokenVerified"] = false;
    body["notice"] = "The token was only decoded: nobody looked at its signature, issuer, audience or expiry.";
  }
  if (!simulation.user) return body;
  json::object difference;
  difference["userId"] = simulation.user->user_id;
  difference["username"] = simulation.user->username;
  difference["roles"] = json_of(simulation.user->roles);
  difference["groups"] = json_of(simulation.user->groups);
  body["difference"] = std::move(difference);
  return body;
}

Expected<claims::Rule> read_rule(const json::value& value, const std::string& at) {
  if (!value.is_object()) return refuse(at, "must be an object");
  const auto& object = value.as_object();
  std::string texts[5];
  constexpr std::string_view kMembers[] = {"claim", "matchType", "matchValue", "action", "target"};
  for (std::size_t i = 0; i < std::size(kMembers); ++i) {
    auto text = text_in(object, at, kMembers[i]);
    if (!text) return std::unexpected(text.error());
    texts[i] = std::move(*text);
  }
  const auto match = claims::match_of(texts[1]);
  if (!match) return refuse(at + "/matchType", "must be equals, contains or regex");
  const auto action = claims::action_of(texts[3]);
  if (!action) return refuse(at + "/action", "must be assignRole or addToGroup");
  claims::Rule rule{.id = {},
                    .claim = std::move(texts[0]),
                    .match = *match,
                    .value = std::move(texts[2]),
                    .action = *action,
                    .target = std::move(texts[4]),
                    .priority = 0};
  if (const auto* priority = object.if_contains("priority"); priority != nullptr && !priority->is_null()) {
    const auto* whole = priority->if_int64();
    if (whole == nullptr || *whole < -kFarthestPriority || *whole > kFarthestPriority) {
      return refuse(at + "/priority",
                    fmt::format("must be a whole number from {} to {}", -kFarthestPriority, kFarthestPriority));
    }
    rule.priority = static_cast<int>(*whole);
  }
  if (auto checked = claims::check(rule); !checked) {
    auto error = checked.error();
    error.member = at + member_of(error.member);
    return std::unexpected(std::move(error));
  }
  return rule;
}

}  // namespace cameleer::server
