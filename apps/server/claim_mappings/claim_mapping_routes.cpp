#include "server/claim_mappings/claim_mapping_routes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "server/auth/control_body.hpp"
#include "server/claim_mappings/claim_mapping_json.hpp"
#include "server/claim_mappings/token_claims.hpp"

namespace cameleer::server {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostClaimBytes = 256 * 1024, kMostDepth = 64, kUuidLength = 36;

std::string rule_in(const web::Request& request) {
  return std::string(request.path_parameter("ruleId"));
}

/// What `body` has found to be well formed.
Expected<json::value> value_of(const web::Request& request, const ControlBody& body) {
  if (body.failure()) return std::unexpected(*body.failure());
  boost::system::error_code error;
  auto value = json::parse(request.body, error, {}, {.max_depth = kMostDepth});
  if (error) return fail(ErrorCode::malformed_body, "The body is not valid JSON.");
  return value;
}

Expected<claims::Rule> rule_of_body(const web::Request& request) {
  const ControlBody body(request);
  auto value = value_of(request, body);
  if (!value) return std::unexpected(value.error());
  return read_rule(*value, "");
}

web::Response answer(const Expected<StoredRule>& rule, const web::Request& request, int status) {
  if (!rule) return web::problem(rule.error(), request.request_id);
  return web::Response::json(json::serialize(json_of(*rule)), status);
}

web::Response answer(const Expected<std::vector<StoredRule>>& rules, const web::Request& request) {
  if (!rules) return web::problem(rules.error(), request.request_id);
  json::array items;
  for (const auto& rule : *rules) items.push_back(json_of(rule));
  json::object body;
  body["items"] = std::move(items);
  return web::Response::json(json::serialize(body));
}

async::Task<web::Response> list(ClaimMappingService& mappings, web::Request& request) {
  co_return answer(co_await mappings.list(), request);
}

async::Task<web::Response> get(ClaimMappingService& mappings, web::Request& request) {
  co_return answer(co_await mappings.find(rule_in(request)), request, 200);
}

async::Task<web::Response> create(ClaimMappingService& mappings, web::Request& request) {
  auto rule = rule_of_body(request);
  if (!rule) co_return web::problem(rule.error(), request.request_id);
  co_return answer(co_await mappings.create(caller_of(request), std::move(*rule)), request, 201);
}

async::Task<web::Response> update(ClaimMappingService& mappings, web::Request& request) {
  auto rule = rule_of_body(request);
  if (!rule) co_return web::problem(rule.error(), request.request_id);
  rule->id = rule_in(request);
  co_return answer(co_await mappings.update(caller_of(request), std::move(*rule)), request, 200);
}

async::Task<web::Response> remove(ClaimMappingService& mappings, web::Request& request) {
  auto removed = co_await mappings.remove(caller_of(request), rule_in(request));
  if (!removed) co_return web::problem(removed.error(), request.request_id);
  co_return web::Response::empty(204);
}

async::Task<web::Response> reorder(ClaimMappingService& mappings, web::Request& request) {
  ControlBody body(request);
  auto ids = body.texts("ids", claims::most_rules, kUuidLength);
  if (!body.has("ids")) body.refuse("ids", "is required");
  if (body.failure()) co_return web::problem(*body.failure(), request.request_id);
  co_return answer(co_await mappings.reorder(caller_of(request), std::move(ids)), request);
}

Expected<ClaimMappingService::Trial> trial_in(const web::Request& request) {
  ControlBody body(request);
  ClaimMappingService::Trial trial;
  trial.claims = body.object("claims", kMostClaimBytes);
  trial.token = body.optional_text("token", 1, kLongestPastedToken);
  trial.user = body.optional_text("userId", 1, 256);
  auto value = value_of(request, body);
  if (!value) return std::unexpected(value.error());
  if (trial.claims && trial.token) {
    return fail(ErrorCode::invalid_member, "/token: must not be there beside /claims", "/token");
  }
  const auto* rules = value->as_object().if_contains("rules");
  if (rules == nullptr || rules->is_null()) return trial;
  if (!rules->is_array() || rules->as_array().size() > claims::most_rules) {
    return fail(ErrorCode::invalid_member,
                fmt::format("/rules: must be an array of at most {} rules", claims::most_rules), "/rules");
  }
  trial.rules.emplace();
  for (const auto& one : rules->as_array()) {
    auto rule = read_rule(one, fmt::format("/rules/{}", trial.rules->size()));
    if (!rule) return std::unexpected(rule.error());
    // Rules that are not stored yet are told apart by their place.
    rule->id = fmt::format("rule-{:03}", trial.rules->size());
    const auto* id = one.as_object().if_contains("id");
    if (id != nullptr && id->is_string() && id->as_string().size() == kUuidLength) rule->id = id->as_string();
    trial.rules->push_back(std::move(*rule));
  }
  return trial;
}

async::Task<web::Response> test(ClaimMappingService& mappings, web::Request& request) {
  auto trial = trial_in(request);
  if (!trial) co_return web::problem(trial.error(), request.request_id);
  auto simulation = co_await mappings.simulate(std::move(*trial));
  if (!simulation) co_return web::problem(simulation.error(), request.request_id);
  co_return web::Response::json(json::serialize(json_of(*simulation)));
}

}  // namespace

void add_claim_mapping_routes(web::Router& router, ClaimMappingService& mappings) {
  struct Row {
    web::Method method;
    const char* pattern;
    const char* operation_id;
    std::size_t bytes;
    async::Task<web::Response> (*handler)(ClaimMappingService&, web::Request&);
  };
  constexpr std::size_t kSmall = 32 * 1024, kLarge = 2 * 1024 * 1024;
  const Row rows[] = {
      {web::Method::get, "/api/v1/admin/claim-mappings", "listClaimMappings", kSmall, list},
      {web::Method::post, "/api/v1/admin/claim-mappings", "createClaimMapping", kSmall, create},
      {web::Method::put, "/api/v1/admin/claim-mappings/order", "reorderClaimMappings", kSmall, reorder},
      {web::Method::post, "/api/v1/admin/claim-mappings/test", "testClaimMappings", kLarge, test},
      {web::Method::get, "/api/v1/admin/claim-mappings/{ruleId}", "getClaimMapping", kSmall, get},
      {web::Method::put, "/api/v1/admin/claim-mappings/{ruleId}", "updateClaimMapping", kSmall, update},
      {web::Method::del, "/api/v1/admin/claim-mappings/{ruleId}", "deleteClaimMapping", kSmall, remove},
  };
  for (const auto& row : rows) {
    router.add(
        {.method = row.method,
         .pattern = row.pattern,
         .operation_id = row.operation_id,
         .access = {"manage_server"},
         .limits = {.body_bytes = row.bytes, .decoded_body_bytes = row.bytes},
         .handler = [&mappings, handler = row.handler](web::Request& request) { return handler(mappings, request); }});
  }
}

}  // namespace cameleer::server
