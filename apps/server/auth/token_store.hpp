#pragma once
#include <cameleer/core/instant.hpp>
#include <cameleer/postgres/pool.hpp>

namespace cameleer::server {

/// Whom a pair of tokens is for.
struct TokenSubject {
  enum class Kind : std::uint8_t { user, agent } kind = Kind::user;
  std::string id;           ///< user id or agent id
  std::string environment;  ///< agents only, so the two below
  std::string application;
  std::string key_ref;
};

/// A refresh token as it is kept: its id only, so that the table gives nobody a token.
struct StoredRefresh {
  std::string token_id;
  std::string family;
  TokenSubject subject;
  Instant issued_at{};
  Instant expires_at{};
  std::optional<Instant> spent_at;
  std::optional<Instant> revoked_at;
  std::optional<std::string> successor;
};

class TokenStore {
 public:
  explicit TokenStore(postgres::Pool& pool) : pool_(pool) {}

  async::Task<Expected<void>> insert(StoredRefresh token);
  /// Marks `token_id` spent and stores its successor, in one statement: of two at once one gets it. Nothing when the
  /// token is unknown, spent, revoked or expired.
  async::Task<Expected<std::optional<StoredRefresh>>> spend(std::string token_id, std::string successor, Instant now,
                                                            Instant successor_expires_at);
  async::Task<Expected<std::optional<StoredRefresh>>> find(std::string token_id);
  async::Task<Expected<void>> revoke_family(std::string family, Instant now);
  async::Task<Expected<void>> delete_expired(Instant now);

 private:
  postgres::Pool& pool_;
};

}  // namespace cameleer::server
