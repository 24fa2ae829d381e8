#pragma once
#include <cameleer/core/instant.hpp>
#include <cameleer/postgres/pool.hpp>

#include "server/audit/audit_service.hpp"
#include "server/license/license_enforcer.hpp"

namespace cameleer::server {

/// A user of a provider.
struct ProviderUser {
  std::string id;  ///< UUID
  std::string username;
  bool enabled = true;
};
struct NewProviderUser {
  std::string id, issuer, subject, display_name;
  std::optional<std::string> email;
  std::vector<std::string> usernames;  ///< the first that nobody has
};

class OidcStore {
 public:
  /// `caps`: none: as many users as one likes.
  OidcStore(postgres::Pool& pool, AuditService& audit, LicenseEnforcer* caps = nullptr)
      : pool_(pool), audit_(audit), caps_(caps) {}

  /// JSON text; nothing: none stored.
  async::Task<Expected<std::optional<std::string>>> read_configuration();
  /// Nothing: it is deleted.
  async::Task<Expected<void>> write_configuration(std::optional<std::string> json, AuditEntry entry);

  /// False: there are `most` already.
  async::Task<Expected<bool>> insert_attempt(std::string state_hash, std::string sealed, Instant now,
                                             Instant expires_at, std::size_t most);
  /// Takes it away: of two at once one gets it.
  async::Task<Expected<std::optional<std::string>>> take_attempt(std::string state_hash, Instant now);

  async::Task<Expected<std::optional<ProviderUser>>> find_user(std::string issuer, std::string subject);
  /// With its audit entry; the one that is there when somebody else was faster. `license_cap_exceeded`.
  async::Task<Expected<ProviderUser>> insert_user(NewProviderUser user, AuditActor actor, Instant now);
  async::Task<Expected<void>> note_login(std::string user_id, Instant now);

 private:
  postgres::Pool& pool_;
  AuditService& audit_;
  LicenseEnforcer* caps_;
};

}  // namespace cameleer::server
