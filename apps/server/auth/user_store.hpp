#pragma once
#include <cameleer/core/instant.hpp>
#include <cameleer/core/rbac.hpp>
#include <cameleer/postgres/pool.hpp>

namespace cameleer::server {

/// A user who may act, with what follows from the roles: direct and managed ones, and those of the groups and of all
/// their ancestors. A disabled user is nowhere found here: no sign-in, no session, no token.
struct User {
  std::string id;  ///< UUID
  std::string username;
  std::string display_name;
  std::vector<std::string> roles;
  rbac::Permissions permissions;
  std::optional<Instant> tokens_revoked_before;
};

struct LoginRow {
  std::string user_id;
  std::string password_hash;
};

struct SessionRow {
  std::string hash;  ///< sha256_hex of the cookie's value
  std::string user_id;
  Instant created_at{};
  Instant last_seen_at{};
  Instant expires_at{};  ///< absolute
  std::string remote_address;
  std::string user_agent;
};

class UserStore {
 public:
  explicit UserStore(postgres::Pool& pool) : pool_(pool) {}

  /// Only when there is no user at all; false otherwise. Gets the role ADMIN. Of two processes one waits here for the
  /// other's transaction.
  static async::Task<Expected<bool>> insert_first_admin(postgres::Transaction& transaction, std::string id,
                                                        std::string username, std::string display_name,
                                                        std::string password_hash, Instant now);

  async::Task<Expected<bool>> any_user();

  async::Task<Expected<std::optional<LoginRow>>> find_login(std::string username);
  /// Counts an attempt before the password is looked at, so that parallel guesses cannot outrun the count. The
  /// `limit`-th locks until `lock_until`. The instant up to which the account is locked already, when it is.
  /// `locks`, when given, is told whether this attempt locks.
  async::Task<Expected<std::optional<Instant>>> count_attempt(std::string user_id, int limit, Instant now,
                                                              Instant lock_until, bool* locks = nullptr);
  async::Task<Expected<void>> clear_attempts(std::string user_id);
  /// Clears them as well.
  async::Task<Expected<void>> note_login(std::string user_id, Instant now);
  /// Whether the user still has that password and is enabled. Waits for a change that is under way.
  async::Task<Expected<bool>> password_counts(std::string user_id, std::string password_hash);

  async::Task<Expected<void>> insert_session(SessionRow session);
  struct Session {
    SessionRow row;
    User user;
  };
  async::Task<Expected<std::optional<Session>>> find_session(std::string hash);
  async::Task<Expected<void>> touch_session(std::string hash, Instant now);
  async::Task<Expected<void>> delete_session(std::string hash);
  async::Task<Expected<void>> delete_ended_sessions(Instant idle_before, Instant now);

  async::Task<Expected<std::optional<User>>> find_user(std::string user_id);
  /// The user, when the token family is known and not revoked.
  async::Task<Expected<std::optional<User>>> find_user_of_family(std::string user_id, std::string family);

 private:
  postgres::Pool& pool_;
};

}  // namespace cameleer::server
