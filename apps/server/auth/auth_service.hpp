#pragma once
#include <cameleer/async/worker_pool.hpp>

#include "server/audit/audit_service.hpp"
#include "server/auth/attempt_limit.hpp"
#include "server/auth/principal.hpp"
#include "server/auth/token_service.hpp"
#include "server/auth/user_store.hpp"

namespace cameleer::server {

struct AuthSettings {
  std::chrono::minutes session_idle{8 * 60};
  std::chrono::minutes session_life{24 * 60};
  int lock_after_failures = 5;
  std::chrono::minutes lock_time{15};
  int failures_per_address = 30;  ///< within a minute; one more is 429
};

/// The account made at the first start.
struct FirstUser {
  std::string username;
  std::string password;
  bool generated = false;  ///< false: the password is the one that was given
};

struct SignIn {
  std::string session;  ///< value of the cookie
  User user;
};

/// A refused sign-in, with the time after which another attempt makes sense.
struct SignInFailure {
  Error error;
  std::optional<std::chrono::seconds> retry_after;
};
template <class T>
using SignInResult = std::expected<T, SignInFailure>;

/// Sign-in of people and scripts: local users, sessions, and who a presented credential stands for. What it tells is at
/// most 5 s old. I/O thread only; passwords are hashed on the worker pool.
class AuthService {
 public:
  AuthService(postgres::Pool& pool, AuditService& audit, async::WorkerPool& workers, TokenService& tokens, Clock clock,
              Random random, AuthSettings settings = {});

  /// Stops a start with another master key than the database was used with (`bad_configuration`); takes a new key over
  /// when the database knows its predecessor.
  async::Task<Expected<void>> check_master_key(const identity::Keys& keys);

  /// First start: user `admin`. `password` must satisfy the policy; without one a random one is made.
  /// `keep` gets a random password before anything is stored, so that a crash in between loses nothing.
  using KeepSecret = std::function<Expected<void>(const std::string& secret)>;
  async::Task<Expected<std::optional<FirstUser>>> ensure_first_user(std::optional<std::string> password,
                                                                    KeepSecret keep = {});

  async::Task<SignInResult<SignIn>> login(std::string username, std::string password, std::string remote_address,
                                          std::string user_agent, std::string request_id = {});
  /// Of somebody whom an OpenID provider vouched for. `forbidden` when the user is disabled.
  async::Task<Expected<SignIn>> start_session(std::string user_id, std::string remote_address, std::string user_agent);
  async::Task<SignInResult<TokenPair>> issue_tokens(std::string username, std::string password,
                                                    std::string remote_address, std::string request_id = {});
  async::Task<Expected<TokenPair>> refresh(std::string refresh_token, AuditActor origin = {});
  /// Ends the session or the token's family; what does not exist is ended already.
  /// `origin`: of somebody who signs out; nothing: no entry in the audit log.
  async::Task<void> end_session(std::string session, std::optional<AuditActor> origin = std::nullopt);
  async::Task<void> end_token(std::string token, std::optional<AuditActor> origin = std::nullopt);

  /// The user behind a cookie or an access token. `unauthenticated` when the session is over.
  async::Task<Expected<std::shared_ptr<const Principal>>> principal_of_session(std::string session);
  async::Task<Expected<std::shared_ptr<const Principal>>> principal_of_user_token(identity::Claims claims);
  /// The user behind a token that somebody else issued and verified.
  async::Task<Expected<std::shared_ptr<const Principal>>> principal_of_user(std::string user_id, Instant issued_at);
  async::Task<Expected<User>> user(std::string user_id);
  /// Forgets what it found out, so that a change of users or of what they may do counts here at once. Called after the
  /// change was committed, or when nobody knows whether it was.
  void forget_known();

  /// Removes ended sessions and expired refresh tokens.
  async::Task<Expected<void>> clean_up();
  /// `clean_up` every ten minutes until the coroutine is cancelled.
  async::Task<> run();

 private:
  struct KnownSession {
    std::shared_ptr<const Principal> principal;
    Instant last_seen_at{};
    Instant expires_at{};
  };
  struct KnownUser {
    std::shared_ptr<const Principal> principal;
    std::optional<Instant> revoked_before;
  };
  struct CheckedUser {
    User user;
    std::string password_hash;
  };
  async::Task<SignInResult<CheckedUser>> check_password(std::string username, std::string password, AuditEntry attempt);
  async::Task<Expected<bool>> password_matches(std::string password, std::string hash);
  SignInFailure refuse_unknown(const std::string& username, Instant now);

  UserStore store_;
  AuditService& audit_;
  async::WorkerPool& workers_;
  TokenService& tokens_;
  Clock clock_;
  Random random_;
  AuthSettings settings_;
  AttemptLimit by_address_;
  AttemptLimit by_unknown_name_;
  identity::Recent<KnownSession> sessions_;
  identity::Recent<std::shared_ptr<const Principal>> families_;
  identity::Recent<KnownUser> users_;
  std::uint64_t changes_ = 0;  ///< what was read before a change is not kept after it
};

}  // namespace cameleer::server
