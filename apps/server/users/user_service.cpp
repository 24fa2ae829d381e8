#include "server/users/user_service.hpp"

#include <cameleer/identity/encoding.hpp>
#include <cameleer/identity/password.hpp>

namespace cameleer::server {
namespace {

namespace json = boost::json;

json::object json_of(const Account& account) {
  json::object object;
  object["displayName"] = account.display_name;
  if (account.email) object["email"] = *account.email;
  object["enabled"] = account.enabled;
  return object;
}

AuditEntry entry_of(const Caller& caller, std::string action, const Account& account) {
  AuditEntry entry{.actor = caller.actor,
                   .category = AuditCategory::user_mgmt,
                   .action = std::move(action),
                   .target = account.username};
  entry.detail["userId"] = account.id;
  return entry;
}

async::Task<Expected<UserDetails>> details_of(postgres::Pool& pool, Account account) {
  auto assignments = co_await read_assignments(pool, account.id);
  if (!assignments) co_return std::unexpected(assignments.error());
  auto directory = co_await read_directory(pool);
  if (!directory) co_return std::unexpected(directory.error());
  co_return UserDetails{
      .account = std::move(account), .assignments = std::move(*assignments), .directory = std::move(*directory)};
}

async::Task<Expected<void>> check_not_last_admin(postgres::Transaction& transaction, std::string id,
                                                 std::string_view what) {
  auto last = co_await AccountStore::is_last_admin(transaction, std::move(id));
  if (!last) co_return std::unexpected(last.error());
  if (*last) co_return fail(ErrorCode::conflict, fmt::format("The last ADMIN cannot be {}.", what));
  co_return Expected<void>{};
}

}  // namespace

UserService::UserService(postgres::Pool& pool, async::WorkerPool& workers, AuthService& auth, AuditService& audit,
                         Clock clock, Random random, UserServiceSettings settings)
    : pool_(pool),
      workers_(workers),
      users_(pool),
      auth_(auth),
      audit_(audit),
      clock_(std::move(clock)),
      random_(std::move(random)),
      settings_(std::move(settings)) {}

async::Task<Expected<std::vector<Account>>> UserService::list(AccountStore::Page page) {
  co_return co_await AccountStore::list(pool_, std::move(page));
}

async::Task<Expected<UserDetails>> UserService::find(std::string id_or_name) {
  auto account = co_await AccountStore::find(pool_, std::move(id_or_name));
  if (!account) co_return std::unexpected(account.error());
  co_return co_await details_of(pool_, std::move(*account));
}

async::Task<Expected<UserDetails>> UserService::create(Caller caller, NewUser wanted) {
  if (auto local = check_local(); !local) co_return std::unexpected(local.error());
  if (auto problem = identity::password_problem(wanted.password, wanted.username)) {
    co_return fail(ErrorCode::weak_password, std::move(*problem), "/password");
  }
  if (settings_.caps != nullptr) {
    auto allowed = co_await settings_.caps->check_early(pool_, LicenseLimit::max_users, caller.actor);
    if (!allowed) co_return std::unexpected(allowed.error());
  }
  auto hashed = co_await hash(std::move(wanted.password));
  if (!hashed) co_return std::unexpected(hashed.error());
  Account account;
  account.id = identity::random_uuid(random_);
  account.username = std::move(wanted.username);
  account.display_name = std::move(wanted.display_name);
  account.email = std::move(wanted.email);
  account.created_at = clock_();
  account.password_hash = std::move(*hashed);
  auto transaction = co_await begin_access_change(pool_);
  if (!transaction) co_return std::unexpected(transaction.error());
  if (settings_.caps != nullptr) {
    auto allowed = co_await settings_.caps->check(**transaction, LicenseLimit::max_users, caller.actor);
    if (!allowed) co_return std::unexpected(allowed.error());
  }
  auto inserted = co_await AccountStore::insert(**transaction, account);
  if (!inserted) co_return std::unexpected(inserted.error());
  auto entry = entry_of(caller, "create_user", account);
  entry.detail["after"] = json_of(account);
  auto committed = co_await commit_access_change(std::move(*transaction), audit_, std::move(entry));
  if (!committed) co_return std::unexpected(committed.error());
  co_return co_await details_of(pool_, std::move(account));
}

async::Task<Expected<UserDetails>> UserService::update(Caller caller, std::string id_or_name, UserChange wanted) {
  auto transaction = co_await begin_access_change(pool_);
  if (!transaction) co_return std::unexpected(transaction.error());
  auto before = co_await AccountStore::lock(**transaction, std::move(id_or_name));
  if (!before) co_return std::unexpected(before.error());
  Account account = *before;
  account.display_name = wanted.display_name.value_or(account.display_name);
  account.email = wanted.email.value_or(account.email);
  account.enabled = wanted.enabled.value_or(account.enabled);
  if (before->enabled && !account.enabled) {
    auto checked = co_await check_not_last_admin(**transaction, account.id, "disabled");
    if (!checked) co_return std::unexpected(checked.error());
    auto ended = co_await AccountStore::end_access(**transaction, account.id, clock_());
    if (!ended) co_return std::unexpected(ended.error());
  }
  auto updated = co_await AccountStore::update(**transaction, account);
  if (!updated) co_return std::unexpected(updated.error());
  auto entry = entry_of(caller, "update_user", account);
  entry.detail["before"] = json_of(*before);
  entry.detail["after"] = json_of(account);
  auto committed = co_await commit_access_change(std::move(*transaction), audit_, std::move(entry));
  auth_.forget_known();
  if (!committed) co_return std::unexpected(committed.error());
  co_return co_await details_of(pool_, std::move(account));
}

async::Task<Expected<void>> UserService::remove(Caller caller, std::string id_or_name) {
  auto transaction = co_await begin_access_change(pool_);
  if (!transaction) co_return std::unexpected(transaction.error());
  auto account = co_await AccountStore::lock(**transaction, std::move(id_or_name));
  if (!account) co_return std::unexpected(account.error());
  auto checked = co_await check_not_last_admin(**transaction, account->id, "deleted");
  if (!checked) co_return checked;
  auto removed = co_await AccountStore::remove(**transaction, account->id);
  if (!removed) co_return removed;
  auto entry = entry_of(caller, "delete_user", *account);
  entry.detail["before"] = json_of(*account);
  auto committed = co_await commit_access_change(std::move(*transaction), audit_, std::move(entry));
  auth_.forget_known();
  co_return committed;
}

}  // namespace cameleer::server
