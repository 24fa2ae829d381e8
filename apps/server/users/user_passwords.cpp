// The passwords of UserService.
#include <cameleer/identity/password.hpp>

#include "server/users/user_service.hpp"

namespace cameleer::server {
namespace {

Error wrong_password() {
  return {ErrorCode::invalid_credentials, "The present password is wrong.", "/currentPassword"};
}

}  // namespace

Expected<void> UserService::check_local() const {
  if (settings_.local_accounts()) return {};
  return fail(ErrorCode::not_found, "People sign in with the OpenID provider alone here.");
}

async::Task<Expected<std::string>> UserService::hash(std::string password) {
  const auto work = [secret = std::move(password), random = random_] {
    return identity::hash_password(secret, random);
  };
  co_return co_await workers_.run(work);
}

async::Task<Expected<void>> UserService::store_password(Caller caller, Account account, std::string hash,
                                                        std::string action) {
  const bool own = caller.actor.user_id == account.id;
  auto transaction = co_await begin_access_change(pool_);
  if (!transaction) co_return std::unexpected(transaction.error());
  auto locked = co_await AccountStore::lock(**transaction, account.id);
  if (!locked) co_return std::unexpected(locked.error());
  if (locked->source != "local") {
    co_return fail(ErrorCode::conflict, "The user signs in with the OpenID provider and has no password here.");
  }
  if (own && locked->password_hash != account.password_hash) {
    co_return fail(ErrorCode::conflict, "The password was changed in between.");
  }
  auto stored = co_await AccountStore::put_password(**transaction, account.id, std::move(hash));
  if (!stored) co_return stored;
  auto ended = co_await AccountStore::end_access(**transaction, account.id, clock_(), own ? caller.session : "");
  if (!ended) co_return ended;
  AuditEntry entry{.actor = caller.actor,
                   .category = AuditCategory::user_mgmt,
                   .action = std::move(action),
                   .target = account.username};
  entry.detail["userId"] = account.id;
  auto committed = co_await commit_access_change(std::move(*transaction), audit_, std::move(entry));
  auth_.forget_known();
  co_return committed;
}

async::Task<Expected<void>> UserService::set_password(Caller caller, std::string id_or_name, std::string password) {
  if (auto local = check_local(); !local) co_return local;
  auto details = co_await find(std::move(id_or_name));
  if (!details) co_return std::unexpected(details.error());
  const auto held =
      rbac::effective(details->directory, details->assignments.roles, details->assignments.groups).permissions;
  if (auto may = check_may_grant(caller, held); !may) co_return may;
  if (auto problem = identity::password_problem(password, details->account.username)) {
    co_return fail(ErrorCode::weak_password, std::move(*problem), "/password");
  }
  auto hashed = co_await hash(std::move(password));
  if (!hashed) co_return std::unexpected(hashed.error());
  co_return co_await store_password(std::move(caller), std::move(details->account), std::move(*hashed), "set_password");
}

async::Task<Expected<void>> UserService::check_present_password(const Caller& caller, Account account,
                                                                std::string current) {
  const auto now = clock_();
  auto locked =
      co_await users_.count_attempt(account.id, settings_.lock_after_failures, now, now + settings_.lock_time);
  if (!locked) co_return std::unexpected(locked.error());
  if (*locked) {
    const auto seconds = std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(**locked - now).count());
    co_return fail(ErrorCode::account_locked,
                   fmt::format("The account is locked after too many failures; try again in {} s.", seconds));
  }
  const auto work = [secret = std::move(current), known = account.password_hash.value_or(identity::nobodys_hash())] {
    return identity::verify_password(secret, known);
  };
  auto matches = co_await workers_.run(work);
  if (!matches) co_return std::unexpected(matches.error());
  if (*matches) co_return Expected<void>{};
  AuditEntry entry{.actor = caller.actor,
                   .category = AuditCategory::user_mgmt,
                   .action = "change_password",
                   .target = account.username,
                   .result = AuditResult::failure};
  entry.detail["reason"] = "wrong_present_password";
  auto recorded = co_await audit_.record(std::move(entry));
  if (!recorded) co_return recorded;
  co_return std::unexpected(wrong_password());
}

async::Task<Expected<void>> UserService::change_password(Caller caller, std::string current, std::string wanted) {
  if (auto local = check_local(); !local) co_return local;
  auto account = co_await AccountStore::find(pool_, caller.actor.user_id);
  if (!account) co_return std::unexpected(account.error());
  if (account->source != "local") {
    co_return fail(ErrorCode::conflict, "You sign in with the OpenID provider and have no password here.");
  }
  auto right = co_await check_present_password(caller, *account, current);
  if (!right) co_return right;
  auto problem = identity::password_problem(wanted, account->username);
  if (!problem && wanted == current) problem = "The new password must differ from the present one.";
  if (problem) {
    // The present one was right, so this was no failed attempt.
    auto cleared = co_await users_.clear_attempts(account->id);
    if (!cleared) co_return cleared;
    co_return fail(ErrorCode::weak_password, std::move(*problem), "/newPassword");
  }
  auto hashed = co_await hash(std::move(wanted));
  if (!hashed) co_return std::unexpected(hashed.error());
  co_return co_await store_password(std::move(caller), std::move(*account), std::move(*hashed), "change_password");
}

}  // namespace cameleer::server
