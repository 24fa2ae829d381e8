#pragma once
#include <cameleer/identity/secret_box.hpp>

#include "server/claim_mappings/claim_mapping_service.hpp"
#include "server/oidc/oidc_fields.hpp"
#include "server/oidc/oidc_store.hpp"

namespace cameleer::server {

/// A provider as it is configured now. Whoever uses it holds it; a change of the configuration makes another.
struct OidcProvider {
  OidcFields fields;
  std::shared_ptr<identity::OidcClient> client;  ///< stays, with its keys, when only other things change
  std::uint64_t generation = 0;                  ///< of the configuration
  [[nodiscard]] identity::ProviderExpectations access_expectations() const;
};

/// The configuration of the OpenID provider: what an administrator stored, and what the settings fix. At most 5 s
/// behind what another process of this server stored. I/O thread only.
class OidcConfigurationService {
 public:
  OidcConfigurationService(OidcStore& store, const identity::Keys& keys, identity::Fetch fetch, Clock clock,
                           Random random, OidcFields settings);

  /// At the start: `bad_configuration` when settings and store together make no configuration.
  async::Task<Expected<void>> load();

  /// Null: none is configured. With a database that is down the one known last.
  async::Task<Expected<std::shared_ptr<OidcProvider>>> provider();
  /// As it was known last.
  [[nodiscard]] bool people_can_sign_in() const;
  /// Looks for what another process stored, every 5 s, until the coroutine is cancelled.
  async::Task<> run();

  /// What claims give beside the rules.
  async::Task<Expected<ClaimPolicy>> claim_policy();

  struct View {
    OidcFields fields;  ///< both together
    std::vector<std::string_view> fixed;
  };
  async::Task<Expected<View>> view();
  /// In place of what was stored. Without a client secret the stored one stays, as long as issuer, discovery address
  /// and client stay. `invalid_member`: a rule is broken, or a fixed member differs.
  async::Task<Expected<View>> replace(OidcFields fields, AuditActor actor);
  async::Task<Expected<void>> remove(AuditActor actor);
  /// Tries the given configuration, completed like `replace` does it; nothing: the present one.
  async::Task<Expected<std::vector<identity::OidcClient::Check>>> test(std::optional<OidcFields> fields);

 private:
  async::Task<Expected<void>> refresh();
  void adopt(const std::optional<std::string>& text);
  Expected<OidcFields> complete(OidcFields fields) const;
  [[nodiscard]] std::string stored_text(const OidcFields& fields) const;

  OidcStore& store_;
  const identity::Keys& keys_;
  identity::Fetch fetch_;
  Clock clock_;
  Random random_;
  OidcFields settings_;
  OidcFields stored_;
  std::optional<std::string> text_;  ///< that `stored_` was read from
  std::optional<Instant> read_at_;
  std::uint64_t generation_ = 0;
  std::shared_ptr<OidcProvider> provider_;
};

}  // namespace cameleer::server
