#pragma once
#include <cameleer/core/error.hpp>
#include <cameleer/identity/encoding.hpp>
#include <cameleer/identity/recent.hpp>
#include <functional>

#include "server/environments/api_key_store.hpp"
#include "server/environments/environment_store.hpp"
#include "server/environments/key_uses.hpp"
#include "server/license/license_enforcer.hpp"
#include "server/retention/retention_policy.hpp"

namespace cameleer::server {

struct EnvironmentSettings {
  /// `cameleer.server.security.bootstraptoken` and `…bootstraptokenprevious`; empty: none.
  std::string bootstrap_token;
  std::string bootstrap_token_previous;
  std::string bootstrap_environment = "default";  ///< what those tokens are bound to
  std::chrono::hours key_grace{24};               ///< a rotated key counts for so long
  LicenseEnforcer* caps = nullptr;                ///< none: up to `most_environments`
  const RetentionPolicy* retention = nullptr;     ///< none: nothing is known of what holds
};

/// What a presented API key or bootstrap token stands for.
struct KeyOwner {
  std::string environment;  ///< slug
  std::string key_ref;      ///< the key's id; of a bootstrap token `bootstrap:` and the environment's id
  std::string data_name;    ///< what the environment's telemetry carries
};

/// What is to change; a member without a value stays as it is.
struct EnvironmentChange {
  using Number = std::optional<std::int64_t>;
  std::optional<std::string> display_name = {};
  std::optional<Number> execution_retention_days = {}, log_retention_days = {}, metric_retention_days = {};
  std::optional<Number> jar_retention_count = {};
};

inline constexpr std::size_t most_environments = 1'000;

/// What the environment itself asks for.
WishedDays wished_days_of(const Environment& environment);

/// Whether it may name an environment: 1 to 40 of `a-z0-9-`, with no hyphen at either end. It never changes.
bool is_environment_slug(std::string_view slug);

/// The environments of the tenant and their API keys. What it tells is at most 5 s old, unless a
/// function says otherwise. I/O thread only.
class EnvironmentService {
 public:
  EnvironmentService(postgres::Pool& pool, AuditService& audit, Clock clock, Random random,
                     EnvironmentSettings settings);

  /// First start: the environment `default` when there is none at all, and one API key for it when there is none. The
  /// secret of that key, once. `keep` gets the secret before anything is stored, so that a crash in between loses
  /// nothing; its failure is ours.
  using KeepSecret = std::function<Expected<void>(const std::string& secret)>;
  async::Task<Expected<std::optional<std::string>>> ensure_first(KeepSecret keep = {});

  async::Task<Expected<std::vector<Environment>>> list();
  [[nodiscard]] const LicenseEnforcer* caps() const { return settings_.caps; }
  [[nodiscard]] const RetentionPolicy* retention() const { return settings_.retention; }
  /// `environment_not_found` when there is none of that slug.
  async::Task<Expected<Environment>> find(std::string slug);
  /// As it was found within the last hour; `unavailable` when it was not. For an outage of the database.
  Expected<Environment> last_known(const std::string& slug);

  struct NewKey {
    KeyDescription description;
    std::string secret;  ///< exists nowhere else
  };
  struct Created {
    Environment environment;
    NewKey key;  ///< its first
  };
  /// `conflict`: the slug, which is a good one, is taken, or there are as many as there may be; `license_cap_exceeded`.
  async::Task<Expected<Created>> create(std::string slug, EnvironmentChange wanted, AuditActor actor = system_actor());
  async::Task<Expected<Environment>> update(std::string slug, EnvironmentChange wanted,
                                            AuditActor actor = system_actor());
  /// With its keys, agents, commands and configurations; its telemetry is hidden from here on and deleted by
  /// `TelemetryRemoval`. Tokens and streams of its agents end as those of a revoked key do. `conflict`: it is the last
  /// one. One of the same slug that is made later is another one.
  async::Task<Expected<RemovedRows>> remove(std::string slug, AuditActor actor = system_actor());

  async::Task<Expected<NewKey>> create_key(std::string slug, std::string label, AuditActor actor = system_actor());
  /// The newest 1,000, newest first.
  async::Task<Expected<std::vector<KeyDescription>>> list_keys(std::string slug);
  struct RotatedKey {
    KeyDescription old;
    NewKey successor;
  };
  /// A new key of the same label; the old one counts until its grace is over. `conflict` when it is not ACTIVE,
  /// `api_key_not_found` when the environment has none of that id.
  async::Task<Expected<RotatedKey>> rotate_key(std::string slug, std::string id, AuditActor actor = system_actor());
  /// For good, and at once in this process: from the return on neither the key nor a token that came from it counts.
  /// A revoked key stays as it is. `api_key_not_found` when the environment has none of that id.
  async::Task<Expected<void>> revoke_key(std::string slug, std::string id, AuditActor actor = system_actor());

  /// Who owns the key or bootstrap token; nothing when nobody does (unknown, revoked, grace over).
  async::Task<Expected<std::optional<KeyOwner>>> owner_of(std::string secret);
  /// The same for the reference that tokens carry which came from that key.
  async::Task<Expected<std::optional<KeyOwner>>> owner_of_ref(std::string key_ref);
  /// Whether tokens that came from that key still count.
  async::Task<Expected<bool>> key_counts(std::string key_ref);
  /// Those of the key references that do not count (revoked, grace over, unknown), as the database has it now: one
  /// statement each for keys and bootstrap tokens, whatever was found out before. For streams, which live longer than
  /// an answer.
  async::Task<Expected<std::vector<std::string>>> uncounted_keys(std::vector<std::string> key_refs);

  /// Writes when keys were last used, as far as it is due.
  async::Task<Expected<void>> write_key_uses();
  /// Does so every few seconds, until the coroutine is cancelled.
  async::Task<> run();

 private:
  [[nodiscard]] bool is_bootstrap_token(std::string_view secret) const;
  [[nodiscard]] bool has_bootstrap_token() const;
  async::Task<Expected<std::optional<KeyOwner>>> bootstrap_owner();
  ApiKeyStore::NewKey new_key(const std::string& slug, std::string label, const identity::ApiKeySecret& secret);
  /// What was asked before does not count any more.
  void forget();

  EnvironmentStore store_;
  ApiKeyStore keys_;
  AuditService& audit_;
  Clock clock_;
  Random random_;
  EnvironmentSettings settings_;
  identity::Recent<Environment> recent_environments_;
  identity::Recent<StoredKey> recent_keys_by_hash_;
  identity::Recent<StoredKey> recent_keys_by_id_;
  KeyUses uses_;
  std::uint64_t changes_ = 0;  ///< what was read before one must not be remembered after it
};

}  // namespace cameleer::server
