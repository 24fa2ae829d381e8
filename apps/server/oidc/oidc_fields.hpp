#pragma once
#include <boost/json/object.hpp>
#include <cameleer/identity/oidc_client.hpp>
#include <optional>
#include <span>
#include <variant>

#include "server/auth/control_body.hpp"
#include "server/settings/settings.hpp"

namespace cameleer::server {

/// What is said of the provider, by the settings or by an administrator; both together make the configuration.
using OidcFields = Settings::Oidc;

/// One field: its member in JSON, the setting that fixes it, and where it is.
struct OidcField {
  std::string_view member, setting;
  std::variant<std::optional<std::string> OidcFields::*, std::optional<std::vector<std::string>> OidcFields::*,
               std::optional<std::map<std::string, std::string>> OidcFields::*, std::optional<bool> OidcFields::*>
      at;
  std::size_t longest = 1'024;
  bool secret = false;  ///< never shown
};
std::span<const OidcField> oidc_fields();

/// Field by field the settings win.
OidcFields overlay(const OidcFields& settings, const OidcFields& stored);
/// Members that the settings fix.
std::vector<std::string_view> fixed_members(const OidcFields& settings);

/// Reads what the body has; the first broken rule is the body's failure.
OidcFields read_fields(ControlBody& body);
/// Members with a value, secrets left out.
boost::json::object json_of(const OidcFields& fields);
/// What `json_of` wrote; what cannot be read is left out.
OidcFields fields_of(const boost::json::object& object);

/// What is wrong with a whole configuration (`invalid_member`); one without an issuer is off and right.
std::optional<Error> problem_of(const OidcFields& fields);
[[nodiscard]] identity::OidcClientSettings client_settings_of(const OidcFields& fields);

}  // namespace cameleer::server
