#include "server/oidc/oidc_fields.hpp"

#include <re2/re2.h>

#include <boost/json/array.hpp>

namespace cameleer::server {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxItems = 50, kMaxPairs = 20, kMaxItem = 256;

const std::array<OidcField, 16> kFields = {{
    {"issuerUri", "cameleer.server.oidc.issuer-uri", &OidcFields::issuer_uri},
    {"audience", "cameleer.server.oidc.audience", &OidcFields::audience},
    {"discoveryUrl", "cameleer.server.oidc.discovery-url", &OidcFields::discovery_url},
    {"clientId", "cameleer.server.oidc.client-id", &OidcFields::client_id},
    {"clientSecret", "cameleer.server.oidc.client-secret", &OidcFields::client_secret, 2'048, true},
    {"clientAuthentication", "cameleer.server.oidc.client-authentication", &OidcFields::client_authentication},
    {"scope", "cameleer.server.oidc.scope", &OidcFields::scope},
    {"rolesClaim", "cameleer.server.oidc.roles-claim", &OidcFields::roles_claim, 256},
    {"defaultRoles", "cameleer.server.oidc.default-roles", &OidcFields::default_roles},
    {"strict", "cameleer.server.oidc.strict", &OidcFields::strict},
    {"autoSignup", "cameleer.server.oidc.auto-signup", &OidcFields::auto_signup},
    {"userInfo", "cameleer.server.oidc.user-info", &OidcFields::user_info},
    {"displayNameClaim", "cameleer.server.oidc.display-name-claim", &OidcFields::display_name_claim, 256},
    {"requiredClaims", "cameleer.server.oidc.required-claims", &OidcFields::required_claims},
    {"tokenParameters", "cameleer.server.oidc.token-parameters", &OidcFields::token_parameters},
    {"m2mClientIds", "cameleer.server.oidc.m2m-client-ids", &OidcFields::m2m_client_ids},
}};

struct FromBody {
  ControlBody& body;
  const OidcField& field;
  void operator()(std::optional<std::string>& into) const { into = body.optional_text(field.member, 1, field.longest); }
  void operator()(std::optional<bool>& into) const { into = body.optional_boolean(field.member); }
  void operator()(std::optional<std::vector<std::string>>& into) const {
    if (body.has(field.member)) into = body.texts(field.member, kMaxItems, kMaxItem);
  }
  void operator()(std::optional<std::map<std::string, std::string>>& into) const {
    into = body.text_map(field.member, kMaxPairs, field.longest);
  }
};

json::value value_of(const std::string& text) {
  return json::string(text);
}
json::value value_of(bool flag) {
  return flag;
}
json::value value_of(const std::vector<std::string>& texts) {
  json::array array;
  for (const auto& text : texts) array.emplace_back(text);
  return array;
}
json::value value_of(const std::map<std::string, std::string>& map) {
  json::object object;
  for (const auto& [name, text] : map) object[name] = text;
  return object;
}

void take(const json::value& value, std::optional<std::string>& into) {
  if (value.is_string()) into = std::string(value.get_string());
}
void take(const json::value& value, std::optional<bool>& into) {
  if (value.is_bool()) into = value.get_bool();
}
void take(const json::value& value, std::optional<std::vector<std::string>>& into) {
  if (!value.is_array()) return;
  into.emplace();
  for (const auto& item : value.get_array()) {
    if (item.is_string()) into->emplace_back(item.get_string());
  }
}
void take(const json::value& value, std::optional<std::map<std::string, std::string>>& into) {
  if (!value.is_object()) return;
  into.emplace();
  for (const auto& [name, item] : value.get_object()) {
    if (item.is_string()) into->emplace(name, item.get_string());
  }
}

bool is_address(const std::optional<std::string>& url) {
  static const RE2 kAddress(R"(https?://[A-Za-z0-9.\[\]:-]+(/[^\s?#\\]*)?)");
  return !url || RE2::FullMatch(*url, kAddress);
}

Error wrong(std::string_view member, std::string_view rule) {
  return {ErrorCode::invalid_member, fmt::format("/{}: {}", member, rule), fmt::format("/{}", member)};
}

}  // namespace

std::span<const OidcField> oidc_fields() {
  return kFields;
}

OidcFields overlay(const OidcFields& settings, const OidcFields& stored) {
  OidcFields both = stored;
  for (const auto& field : kFields) {
    std::visit(
        [&](auto at) {
          if (settings.*at) both.*at = settings.*at;
        },
        field.at);
  }
  return both;
}

std::vector<std::string_view> fixed_members(const OidcFields& settings) {
  std::vector<std::string_view> fixed;
  for (const auto& field : kFields) {
    if (std::visit([&](auto at) { return (settings.*at).has_value(); }, field.at)) fixed.push_back(field.member);
  }
  return fixed;
}

OidcFields read_fields(ControlBody& body) {
  OidcFields fields;
  for (const auto& field : kFields) {
    std::visit([&](auto at) { FromBody{body, field}(fields.*at); }, field.at);
  }
  return fields;
}

json::object json_of(const OidcFields& fields) {
  json::object object;
  for (const auto& field : kFields) {
    if (field.secret) continue;
    std::visit(
        [&](auto at) {
          if (fields.*at) object[field.member] = value_of(*(fields.*at));
        },
        field.at);
  }
  return object;
}

OidcFields fields_of(const json::object& object) {
  OidcFields fields;
  for (const auto& field : kFields) {
    const auto* value = object.if_contains(field.member);
    if (value != nullptr) std::visit([&](auto at) { take(*value, fields.*at); }, field.at);
  }
  return fields;
}

std::optional<Error> problem_of(const OidcFields& fields) {
  if (!is_address(fields.issuer_uri)) return wrong("issuerUri", "must be an http(s) address without a query");
  if (!is_address(fields.discovery_url)) return wrong("discoveryUrl", "must be an http(s) address without a query");
  const auto& authentication = fields.client_authentication;
  if (authentication && *authentication != "basic" && *authentication != "post") {
    return wrong("clientAuthentication", "must be basic or post");
  }
  if (fields.scope && (" " + *fields.scope + " ").find(" openid ") == std::string::npos) {
    return wrong("scope", "must contain openid");
  }
  if (!fields.issuer_uri) return std::nullopt;
  if (!fields.audience) return wrong("audience", "is required with an issuer: its tokens for others would count");
  return std::nullopt;
}

identity::OidcClientSettings client_settings_of(const OidcFields& fields) {
  using Authentication = identity::OidcClientSettings::Authentication;
  identity::OidcClientSettings settings;
  settings.issuer = fields.issuer_uri.value_or("");
  settings.discovery_url = fields.discovery_url.value_or("");
  settings.client_id = fields.client_id.value_or("");
  settings.client_secret = fields.client_secret.value_or("");
  const bool post = fields.client_authentication == std::optional<std::string>("post");
  settings.authentication = post ? Authentication::post : Authentication::basic;
  if (fields.scope) settings.scope = *fields.scope;
  if (fields.token_parameters) {
    settings.token_parameters.assign(fields.token_parameters->begin(), fields.token_parameters->end());
  }
  return settings;
}

}  // namespace cameleer::server
