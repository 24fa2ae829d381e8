#pragma once
#include <cameleer/core/sensitive_keys.hpp>
#include <cameleer/identity/recent.hpp>
#include <functional>

#include "server/agents/agent_service.hpp"
#include "server/audit/audit_service.hpp"
#include "server/configuration/configuration_store.hpp"
#include "server/environments/environment_service.hpp"

namespace cameleer::server {

/// How applications are recorded: configurations by environment and application name, whether or not anything of that
/// name runs, and the sensitive keys of all of them. I/O thread only; the services outlive it.
class ConfigurationService {
 public:
  ConfigurationService(postgres::Pool& pool, AuditService& audit, EnvironmentService& environments,
                       AgentService& agents, Clock clock);

  /// Sends the applied configuration of an application to its running agents in the name of a user; gives the number of
  /// commands. Asked after each change that is applied live. Without one nothing is sent.
  using Push = std::function<async::Task<Expected<std::size_t>>(std::string environment, std::string application,
                                                                std::string username)>;
  void on_change(Push push) { push_ = std::move(push); }

  enum class Which : std::uint8_t {
    latest,   ///< what was stored last, staged included: for agents that start
    applied,  ///< what was last applied live: for agents that run
  };
  /// The read envelope as JSON; version 0 and the defaults when there is none. Does not look whether the environment
  /// exists.
  async::Task<Expected<std::string>> envelope(std::string environment, std::string application, Which which);
  /// The latest, for people: `environment_not_found` when there is none.
  async::Task<Expected<std::string>> read(std::string environment, std::string application);

  struct Written {
    std::string envelope;
    std::optional<std::size_t> pushed;  ///< commands sent; nothing when staged
  };
  enum class Apply : std::uint8_t { live, staged };
  /// Stores the configuration for its environment and application, by its `updated_by`. `expected`: only when this is
  /// the stored version (0: nothing is stored), else `conflict`. A failure after it was stored says so.
  /// `actor` is who the audit log says did it; without a name: `updated_by`.
  async::Task<Expected<Written>> write(ApplicationConfig config, Apply apply, std::optional<std::uint64_t> expected,
                                       AuditActor actor = {});

  async::Task<Expected<std::vector<std::string>>> global_keys();
  /// With `push` each application that has a LIVE or STALE agent gets a new version of its applied configuration, and
  /// its agents get it; the number of commands.
  async::Task<Expected<std::optional<std::size_t>>> write_global_keys(std::vector<std::string> keys, bool push,
                                                                      std::string username, AuditActor actor = {});

  /// What is masked in the data of an application: the default and the global keys and its own, staged ones included.
  /// At most 5 s old; a change made here counts at once. While the database is gone: what was known last, at least the
  /// default and the last known global keys. Never fails.
  async::Task<Expected<std::shared_ptr<const SensitiveKeys>>> sensitive_keys_of(std::string environment,
                                                                                std::string application);

 private:
  struct Known {
    std::shared_ptr<const SensitiveKeys> keys;
    Instant read_at{};
    std::uint64_t changes = 0;  ///< as many were made here before it was read
    bool being_read = false;
  };
  [[nodiscard]] bool is_fresh(const Known& known) const;
  std::shared_ptr<const SensitiveKeys> remember(const std::string& key, ConfigurationStore::Keys keys,
                                                std::uint64_t changes);
  std::shared_ptr<const SensitiveKeys> last_known(const std::string& key, std::uint64_t changes);
  async::Task<Expected<std::size_t>> push_to(std::vector<ApplicationKey> applications, std::string username);
  async::Task<Expected<std::vector<ApplicationKey>>> running_applications();

  ConfigurationStore store_;
  EnvironmentService& environments_;
  AgentService& agents_;
  Clock clock_;
  Push push_;
  identity::Recent<std::shared_ptr<Known>> known_keys_;
  std::vector<std::string> last_global_keys_;
  std::uint64_t changes_ = 0;
};

}  // namespace cameleer::server
