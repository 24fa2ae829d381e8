#include "server/auth/agent_key_rule.hpp"

#include <boost/json/parse.hpp>
#include <cameleer/identity/encoding.hpp>

#include "server/auth/authorizer.hpp"

namespace cameleer::server {
namespace {

struct Rule {
  web::Authorizer authorize;
  const identity::Keys& keys;
};

/// `kid` of a token that has been verified.
std::string key_id_of(std::string_view token) {
  const auto header = identity::decode_base64url(token.substr(0, token.find('.')));
  boost::system::error_code error;
  const auto value = boost::json::parse(header.value_or(""), error);
  const auto* id = !error && value.is_object() ? value.get_object().if_contains("kid") : nullptr;
  return id != nullptr && id->is_string() ? std::string(id->get_string()) : std::string();
}

async::Task<Expected<void>> admit(std::shared_ptr<const Rule> rule, web::Request& request, const web::Route& route) {
  auto admitted = co_await rule->authorize(request, route);
  const auto access = route.access.name;
  if (!admitted || (access != "agent_stream" && access != "agent_refresh")) co_return admitted;
  auto token = bearer_of(request);
  if (token.empty()) token = request.query_value("token").value_or("");
  if (key_id_of(token) == rule->keys.jwt().id) co_return admitted;
  co_return fail(ErrorCode::invalid_token, "The server's keys were changed: register again.");
}

}  // namespace

web::Authorizer with_agent_key_rule(web::Authorizer authorize, const identity::Keys& keys) {
  const auto rule = std::make_shared<const Rule>(Rule{.authorize = std::move(authorize), .keys = keys});
  return [rule](web::Request& request, const web::Route& route) { return admit(rule, request, route); };
}

}  // namespace cameleer::server
