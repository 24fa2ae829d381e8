#pragma once
#include <cameleer/core/instant.hpp>
#include <cameleer/postgres/pool.hpp>
#include <functional>

#include "server/audit/audit_service.hpp"

namespace cameleer::server {

/// An API key as it is kept; the secret itself is not.
struct StoredKey {
  std::string id;
  std::string environment;             ///< slug
  std::string data_name;               ///< of the environment
  std::string status;                  ///< ACTIVE, ROTATED or REVOKED
  std::optional<Instant> grace_until;  ///< ROTATED only: counts until then
  [[nodiscard]] bool counts(Instant now) const;
};

/// An API key as people see it.
struct KeyDescription {
  std::string id;
  std::string label;
  std::string prefix;  ///< first characters of the secret
  std::string status;  ///< ACTIVE, ROTATED or REVOKED
  Instant created_at{};
  std::optional<Instant> expires_at = {};  ///< ROTATED only
  std::optional<Instant> revoked_at = {};
  /// It, or a token that came from it; at most two minutes old.
  std::optional<Instant> last_used_at = {};
};

class ApiKeyStore {
 public:
  ApiKeyStore(postgres::Pool& pool, AuditService& audit) : pool_(pool), audit_(audit) {}

  struct NewKey {
    std::string id;
    std::string environment;  ///< slug
    std::string label;
    std::string hash;
    std::string prefix;
  };
  /// False: there is no such environment.
  async::Task<Expected<bool>> insert(NewKey key, Instant now, AuditActor actor);
  /// The same, in a transaction that is not this one's to end.
  async::Task<Expected<bool>> insert(postgres::Transaction& transaction, NewKey key, Instant now, AuditActor actor);
  /// Only when there is no key at all; false otherwise. `keep` is called before the commit; its failure is ours.
  async::Task<Expected<bool>> insert_first(NewKey key, Instant now, std::function<Expected<void>()> keep);

  async::Task<Expected<std::optional<StoredKey>>> find_by_hash(std::string hash);
  async::Task<Expected<std::optional<StoredKey>>> find_by_id(std::string id);
  /// Those of the ids (all of them UUIDs) that count.
  async::Task<Expected<std::vector<std::string>>> counted(std::vector<std::string> ids, Instant now);
  /// The newest first, at most `most`.
  async::Task<Expected<std::vector<KeyDescription>>> list(std::string environment, std::size_t most);

  /// Makes it ROTATED and stores its successor, which gets its label. The two; `api_key_not_found`, or `conflict` when
  /// it is not ACTIVE.
  struct Rotated {
    KeyDescription old, successor;
  };
  async::Task<Expected<Rotated>> rotate(std::string id, NewKey successor, Instant now, Instant grace_until,
                                        AuditActor actor);
  /// Makes it REVOKED if it is not; false: the environment has no such key.
  async::Task<Expected<bool>> revoke(std::string environment, std::string id, Instant now, AuditActor actor);

  /// When keys were used, by id. A key that somebody is changing, or that was noted within the last minute, is left.
  using Uses = std::vector<std::pair<std::string, Instant>>;
  async::Task<Expected<void>> note_uses(Uses uses);

 private:
  postgres::Pool& pool_;
  AuditService& audit_;
};

}  // namespace cameleer::server
