#pragma once
#include "server/configuration/configuration_routes.hpp"
#include "services_on_loop.hpp"

namespace cameleer::test {

/// The configuration over the other services, its routes beside theirs, and who was told of changes.
struct ConfigurationFixture : ServicesOnLoop {
  ConfigurationFixture();

  web::Response put(std::string path, std::string body, std::string bearer);
  /// An agent's access token.
  std::string register_agent(const std::string& id, const std::string& application,
                             const std::string& environment = "default");
  /// A user's access token with one system role.
  std::string token_of_role(const std::string& role);
  /// Member of the envelope; empty when it is not there.
  std::string in_envelope(server::ConfigurationService::Which which, std::string_view name,
                          const std::string& application = "orders", const std::string& environment = "default");
  /// Stores a configuration of `application` (JSON) and gives its version; the name of the error when it is refused.
  std::string write(const std::string& json, server::ConfigurationService::Apply apply,
                    std::optional<std::uint64_t> expected = std::nullopt, const std::string& application = "orders");

  std::string api_key;
  server::ConfigurationService configuration;
  std::vector<std::string> pushed;  ///< `environment/application by user`, in order
  std::optional<Error> push_failure;
};

}  // namespace cameleer::test
