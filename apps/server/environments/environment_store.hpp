#pragma once
#include <cameleer/core/instant.hpp>
#include <cameleer/postgres/pool.hpp>

#include "server/audit/audit_service.hpp"

namespace cameleer::server {

struct Environment {
  std::string id;  ///< UUID
  std::string slug;
  std::string display_name;
};

/// An API key as it is kept; the secret itself is not.
struct StoredKey {
  std::string id;
  std::string environment;             ///< slug
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
  std::optional<Instant> revoked_at;
};

class EnvironmentStore {
 public:
  EnvironmentStore(postgres::Pool& pool, AuditService& audit) : pool_(pool), audit_(audit) {}

  async::Task<Expected<void>> insert_environment_if_absent(Environment environment, Instant now);
  async::Task<Expected<std::vector<Environment>>> list();
  async::Task<Expected<std::optional<Environment>>> find(std::string slug);

  struct NewKey {
    std::string id;
    std::string environment;  ///< slug
    std::string label;
    std::string hash;
    std::string prefix;
  };
  /// False: there is no such environment.
  async::Task<Expected<bool>> insert_key(NewKey key, Instant now, AuditActor actor);
  async::Task<Expected<bool>> any_key();
  /// Only when there is no key at all; false otherwise.
  async::Task<Expected<bool>> insert_first_key(NewKey key, Instant now);
  async::Task<Expected<std::optional<StoredKey>>> find_key_by_hash(std::string hash);
  async::Task<Expected<std::optional<StoredKey>>> find_key_by_id(std::string id);
  /// Those of the ids (all of them UUIDs) that count.
  async::Task<Expected<std::vector<std::string>>> counted_keys(std::vector<std::string> ids, Instant now);
  /// The newest first, at most `most`.
  async::Task<Expected<std::vector<KeyDescription>>> list_keys(std::string environment, std::size_t most);
  /// Makes it REVOKED if it is not; false: the environment has no such key.
  async::Task<Expected<bool>> revoke_key(std::string environment, std::string id, Instant now, AuditActor actor);

 private:
  postgres::Pool& pool_;
  AuditService& audit_;
};

}  // namespace cameleer::server
