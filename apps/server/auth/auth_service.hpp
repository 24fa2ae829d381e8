#pragma once
#include "server/auth/local_accounts.hpp"
#include "server/auth/principal.hpp"
#include "server/auth/token_service.hpp"

namespace cameleer::server {

struct AuthSettings {
  std::chrono::minutes session_idle{8 * 60};
  std::chrono::minutes session_life{24 * 60};
  LocalAccountSettings local = {};
  std::function<bool()> database_lost = {};  ///< empty: never
};

struct SignIn {
  std::string session;  ///< value of the cookie
  User user;
};

/// Sign-in of people and scripts: sessions, tokens, and who a presented credential stands for. What it tells is at most
/// 5 s old, or an hour while the database is lost: nobody can be asked then. I/O thread only.
class AuthService {
 public:
  AuthService(postgres::Pool& pool, AuditService& audit, async::WorkerPool& workers, TokenService& tokens, Clock clock,
              Random random, AuthSettings settings = {});

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
  [[nodiscard]] LocalAccounts& local_accounts() { return local_; }
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
  async::Task<Expected<KnownUser>> known_user(std::string user_id);
  Expected<std::shared_ptr<const Principal>> still_counts(const KnownSession& known) const;
  /// How old may be what is told.
  [[nodiscard]] std::chrono::milliseconds believable() const;
  SessionRow new_session(const std::string& session, const std::string& user_id, std::string remote_address,
                         std::string_view user_agent) const;

  UserStore store_;
  AuditService& audit_;
  LocalAccounts local_;
  TokenService& tokens_;
  Clock clock_;
  Random random_;
  AuthSettings settings_;
  identity::Recent<KnownSession> sessions_;
  identity::Recent<std::shared_ptr<const Principal>> families_;
  identity::Recent<KnownUser> users_;
  std::uint64_t changes_ = 0;  ///< what was read before a change is not kept after it
};

}  // namespace cameleer::server
