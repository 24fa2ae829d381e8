#pragma once
#include <cameleer/core/instant.hpp>
#include <cameleer/postgres/pool.hpp>

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

class EnvironmentStore {
 public:
  explicit EnvironmentStore(postgres::Pool& pool) : pool_(pool) {}

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
  async::Task<Expected<bool>> insert_key(NewKey key, Instant now);
  async::Task<Expected<bool>> any_key();
  /// Only when there is no key at all; false otherwise.
  async::Task<Expected<bool>> insert_first_key(NewKey key, Instant now);
  async::Task<Expected<std::optional<StoredKey>>> find_key_by_hash(std::string hash);
  async::Task<Expected<std::optional<StoredKey>>> find_key_by_id(std::string id);

 private:
  postgres::Pool& pool_;
};

}  // namespace cameleer::server
