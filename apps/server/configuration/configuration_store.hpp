#pragma once
#include <cameleer/core/application_config.hpp>
#include <cameleer/postgres/pool.hpp>

#include "server/audit/audit_service.hpp"

namespace cameleer::server {

/// Names an application: one of the same name in another environment is another.
struct ApplicationKey {
  std::string environment;  ///< slug
  std::string application;
  friend auto operator<=>(const ApplicationKey&, const ApplicationKey&) = default;
};

/// Rows of configurations and the global sensitive keys. Versions are counted by the statements that write, so that
/// several server processes may.
class ConfigurationStore {
 public:
  ConfigurationStore(postgres::Pool& pool, AuditService& audit) : pool_(pool), audit_(audit) {}

  /// What one application has. Version 0: nothing is stored, or nothing was applied.
  struct Stored {
    ApplicationConfig latest, applied;
    std::vector<std::string> global_keys;
  };
  async::Task<Expected<Stored>> read(ApplicationKey key);

  /// Stores what a user wrote, as the next version; with `applied` as what running agents have, too. What it got;
  /// nothing when `expected` is not the stored version (0: nothing is stored).
  struct Written {
    std::uint64_t version = 0;
    std::uint64_t tap_version = 0;
    std::vector<std::string> global_keys;
  };
  async::Task<Expected<std::optional<Written>>> write(ApplicationConfig config, bool applied,
                                                      std::optional<std::uint64_t> expected, AuditActor actor);

  async::Task<Expected<std::vector<std::string>>> global_keys();
  /// Stores the global keys. The applied configuration of each of the applications gets a new version in the same
  /// transaction, for agents take newer ones alone; a newer staged one stays the newest.
  async::Task<Expected<void>> write_global_keys(std::vector<std::string> keys, std::vector<ApplicationKey> renewed,
                                                std::string username, Instant now, AuditActor actor);

  /// Names that are masked for an application: in its latest or in its applied configuration.
  struct Keys {
    std::vector<std::string> global, own;
  };
  async::Task<Expected<Keys>> sensitive_keys(ApplicationKey key);

 private:
  postgres::Pool& pool_;
  AuditService& audit_;
};

}  // namespace cameleer::server
