#pragma once
#include <cameleer/core/error.hpp>
#include <cameleer/identity/encoding.hpp>
#include <cameleer/identity/recent.hpp>
#include <functional>

#include "server/environments/environment_store.hpp"

namespace cameleer::server {

struct EnvironmentSettings {
  /// `cameleer.server.security.bootstraptoken` and `…bootstraptokenprevious`; empty: none.
  std::string bootstrap_token;
  std::string bootstrap_token_previous;
  std::string bootstrap_environment = "default";  ///< what those tokens are bound to
};

/// What a presented API key or bootstrap token stands for.
struct KeyOwner {
  std::string environment;  ///< slug
  std::string key_ref;      ///< the key's id, or `kBootstrapKeyRef`
};
inline constexpr std::string_view kBootstrapKeyRef = "bootstrap";

/// The environments of the tenant and their API keys. What it tells is at most 5 s old, unless a
/// function says otherwise. I/O thread only.
class EnvironmentService {
 public:
  EnvironmentService(postgres::Pool& pool, AuditService& audit, Clock clock, Random random,
                     EnvironmentSettings settings);

  /// First start: the environment `default`, and one API key when there is none at all. The secret of that key, once.
  /// `keep` gets the secret before anything is stored, so that a crash in between loses nothing; its failure is ours.
  using KeepSecret = std::function<Expected<void>(const std::string& secret)>;
  async::Task<Expected<std::optional<std::string>>> ensure_first(KeepSecret keep = {});

  async::Task<Expected<std::vector<Environment>>> list();
  /// `environment_not_found` when there is none of that slug.
  async::Task<Expected<Environment>> find(std::string slug);

  struct NewKey {
    KeyDescription description;
    std::string secret;  ///< exists nowhere else
  };
  async::Task<Expected<NewKey>> create_key(std::string slug, std::string label, AuditActor actor = system_actor());
  /// The newest 1,000, newest first.
  async::Task<Expected<std::vector<KeyDescription>>> list_keys(std::string slug);
  /// For good, and at once in this process: from the return on neither the key nor a token that came from it counts.
  /// A revoked key stays as it is. `api_key_not_found` when the environment has none of that id.
  async::Task<Expected<void>> revoke_key(std::string slug, std::string id, AuditActor actor = system_actor());

  /// Who owns the key or bootstrap token; nothing when nobody does (unknown, revoked, grace over).
  async::Task<Expected<std::optional<KeyOwner>>> owner_of(std::string secret);
  /// Whether tokens that came from that key still count.
  async::Task<Expected<bool>> key_counts(std::string key_ref);
  /// Those of the key references that do not count (revoked, grace over, unknown), as the database has it now: one
  /// statement, whatever was found out before. For streams, which live longer than an answer.
  async::Task<Expected<std::vector<std::string>>> uncounted_keys(std::vector<std::string> key_refs);

 private:
  [[nodiscard]] std::optional<KeyOwner> bootstrap_owner(std::string_view secret) const;
  [[nodiscard]] bool has_bootstrap_token() const;

  EnvironmentStore store_;
  Clock clock_;
  Random random_;
  EnvironmentSettings settings_;
  identity::Recent<Environment> recent_environments_;
  identity::Recent<StoredKey> recent_keys_by_hash_;
  identity::Recent<StoredKey> recent_keys_by_id_;
  std::uint64_t revocations_ = 0;  ///< what was read before one must not be remembered after it
};

}  // namespace cameleer::server
