#pragma once
#include "server/auth/auth_service.hpp"
#include "server/license/license_enforcer.hpp"
#include "server/users/account_store.hpp"

namespace cameleer::server {

struct UserServiceSettings {
  /// Whether people sign in with a password of ours; without it all password routes answer `not_found`.
  std::function<bool()> local_accounts = [] { return true; };
  int lock_after_failures = 5;
  std::chrono::minutes lock_time{15};
  LicenseEnforcer* caps = nullptr;  ///< none: as many users as one likes
};

struct NewUser {
  std::string username, display_name;
  std::optional<std::string> email;
  std::string password;
};

/// What a user shall be; what is absent stays as it is.
struct UserChange {
  std::optional<std::string> display_name;
  std::optional<std::optional<std::string>> email;  ///< an empty inner one: none
  std::optional<bool> enabled;
};

/// A user with what was given directly and by rules.
struct UserDetails {
  Account account;
  Assignments assignments;
  rbac::Directory directory;
};

/// The people of the tenant, and their passwords. A user who is disabled or gets another password loses all tokens and
/// sessions, at once here and within 5 s in other processes. The last enabled user who is directly ADMIN stays so
/// (`conflict`). I/O thread only; passwords are hashed on the worker pool.
class UserService {
 public:
  UserService(postgres::Pool& pool, async::WorkerPool& workers, AuthService& auth, AuditService& audit, Clock clock,
              Random random, UserServiceSettings settings = {});

  async::Task<Expected<std::vector<Account>>> list(AccountStore::Page page);
  [[nodiscard]] const LicenseEnforcer* caps() const { return settings_.caps; }
  async::Task<Expected<UserDetails>> find(std::string id_or_name);
  /// `weak_password`; `conflict`: the name is taken; `license_cap_exceeded`.
  async::Task<Expected<UserDetails>> create(Caller caller, NewUser wanted);
  async::Task<Expected<UserDetails>> update(Caller caller, std::string id_or_name, UserChange wanted);
  async::Task<Expected<void>> remove(Caller caller, std::string id_or_name);

  /// By an administrator, who must hold what the user may do: a password is a way into the account.
  async::Task<Expected<void>> set_password(Caller caller, std::string id_or_name, std::string password);
  /// One's own; the session that the request came with stays. Wrong present passwords lock the account as failed logins
  /// do.
  async::Task<Expected<void>> change_password(Caller caller, std::string current, std::string wanted);

 private:
  async::Task<Expected<std::string>> hash(std::string password);
  async::Task<Expected<void>> check_present_password(const Caller& caller, Account account, std::string current);
  async::Task<Expected<void>> store_password(Caller caller, Account account, std::string hash, std::string action);
  [[nodiscard]] Expected<void> check_local() const;

  postgres::Pool& pool_;
  async::WorkerPool& workers_;
  UserStore users_;
  AuthService& auth_;
  AuditService& audit_;
  Clock clock_;
  Random random_;
  UserServiceSettings settings_;
};

}  // namespace cameleer::server
