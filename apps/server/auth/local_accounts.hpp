#pragma once
#include <cameleer/async/worker_pool.hpp>

#include "server/audit/audit_service.hpp"
#include "server/auth/attempt_limit.hpp"
#include "server/auth/user_store.hpp"

namespace cameleer::server {

struct LocalAccountSettings {
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

/// A refused sign-in, with the time after which another attempt makes sense.
struct SignInFailure {
  Error error;
  std::optional<std::chrono::seconds> retry_after;
};
template <class T>
using SignInResult = std::expected<T, SignInFailure>;

/// A failure of ours, not of whoever signs in.
SignInFailure failure_of(Error error);
/// The same whether the name or the password is wrong.
Error wrong_credentials();

/// Accounts with a password of this server: the first one, and whether a password is right. Failures are counted by
/// account and by address; a name that nobody has costs the same work and gets the same answers. I/O thread only;
/// passwords are hashed on the worker pool.
class LocalAccounts {
 public:
  LocalAccounts(postgres::Pool& pool, AuditService& audit, async::WorkerPool& workers, Clock clock, Random random,
                LocalAccountSettings settings);

  /// First start: user `admin`. `password` must satisfy the policy; without one a random one is made.
  /// `keep` gets a random password when the user is there and before that is committed: a crash in between loses
  /// nothing, and of two processes at their first start one keeps one.
  using KeepSecret = std::function<Expected<void>(const std::string& secret)>;
  async::Task<Expected<std::optional<FirstUser>>> ensure_first(std::optional<std::string> password,
                                                               KeepSecret keep = {});

  struct Checked {
    User user;
    std::string password_hash;  ///< that was right
  };
  /// `attempt`: what the audit log says when it fails.
  async::Task<SignInResult<Checked>> check(std::string username, std::string password, AuditEntry attempt);

 private:
  async::Task<Expected<bool>> insert_first(FirstUser first, std::string password_hash, KeepSecret keep);
  async::Task<SignInResult<LoginRow>> find_login(std::string username, AuditEntry& attempt, Instant now, bool& locks);
  async::Task<Expected<bool>> matches(std::string password, std::string hash);

  postgres::Pool& pool_;
  UserStore store_;
  AuditService& audit_;
  async::WorkerPool& workers_;
  Clock clock_;
  Random random_;
  LocalAccountSettings settings_;
  AttemptLimit by_address_;
  AttemptLimit by_unknown_name_;
};

}  // namespace cameleer::server
