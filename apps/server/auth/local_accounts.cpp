#include "server/auth/local_accounts.hpp"

#include <cameleer/identity/encoding.hpp>
#include <cameleer/identity/password.hpp>

namespace cameleer::server {
namespace {

constexpr std::string_view kFirstUser = "admin";
constexpr std::string_view kPasswordSetting = "cameleer.server.security.adminpassword";
constexpr std::size_t kMaxCounted = 10'000;
constexpr std::chrono::minutes kAddressWindow{1};

std::chrono::seconds whole_seconds(std::chrono::milliseconds wait) {
  return std::max(std::chrono::ceil<std::chrono::seconds>(wait), std::chrono::seconds(1));
}

SignInFailure locked_for(std::chrono::milliseconds wait) {
  const auto seconds = whole_seconds(wait);
  return {.error = {ErrorCode::account_locked,
                    fmt::format("The account is locked after too many failures; try again in {} s.", seconds.count())},
          .retry_after = seconds};
}

SignInFailure too_many_for(std::chrono::milliseconds wait) {
  const auto seconds = whole_seconds(wait);
  return {.error = {ErrorCode::too_many_requests,
                    fmt::format("Too many sign-ins from this address failed; try again in {} s.", seconds.count())},
          .retry_after = seconds};
}

/// As PostgreSQL's lower() does it for names that exist.
std::string lower_case(std::string text) {
  for (auto& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

AuditEntry lock_after(AuditEntry attempt) {
  attempt.actor.username = system_actor().username;
  attempt.actor.user_id.clear();
  attempt.action = "lock_account";
  attempt.result = AuditResult::success;
  return attempt;
}

}  // namespace

SignInFailure failure_of(Error error) {
  return {.error = std::move(error), .retry_after = std::nullopt};
}

Error wrong_credentials() {
  return {ErrorCode::invalid_credentials, "The user name or the password is wrong."};
}

LocalAccounts::LocalAccounts(postgres::Pool& pool, AuditService& audit, async::WorkerPool& workers, Clock clock,
                             Random random, LocalAccountSettings settings)
    : pool_(pool),
      store_(pool),
      audit_(audit),
      workers_(workers),
      clock_(std::move(clock)),
      random_(std::move(random)),
      settings_(settings),
      by_address_(settings.failures_per_address, kAddressWindow, kMaxCounted),
      by_unknown_name_(settings.lock_after_failures, settings.lock_time, kMaxCounted) {}

async::Task<Expected<std::optional<FirstUser>>> LocalAccounts::ensure_first(std::optional<std::string> password,
                                                                            KeepSecret keep) {
  auto any = co_await store_.any_user();
  if (!any) co_return std::unexpected(any.error());
  if (*any) co_return std::optional<FirstUser>{};
  FirstUser first{.username = std::string(kFirstUser), .password = {}, .generated = !password};
  first.password = password ? std::move(*password) : identity::random_password(random_);
  if (auto problem = identity::password_problem(first.password, first.username)) {
    co_return fail(ErrorCode::bad_configuration, std::move(*problem), std::string(kPasswordSetting));
  }
  const auto work = [secret = first.password, random = random_] { return identity::hash_password(secret, random); };
  auto hash = co_await workers_.run(work);
  if (!hash) co_return std::unexpected(hash.error());
  auto inserted = co_await insert_first(first, std::move(*hash), std::move(keep));
  if (!inserted) co_return std::unexpected(inserted.error());
  if (!*inserted) co_return std::optional<FirstUser>{};
  co_return std::optional(std::move(first));
}

async::Task<Expected<bool>> LocalAccounts::insert_first(FirstUser first, std::string password_hash, KeepSecret keep) {
  auto transaction = co_await pool_.begin();
  if (!transaction) co_return std::unexpected(transaction.error().for_caller());
  auto inserted = co_await UserStore::insert_first_admin(**transaction, identity::random_uuid(random_), first.username,
                                                         "Administrator", std::move(password_hash), clock_());
  if (!inserted || !*inserted) co_return inserted;
  if (keep && first.generated) {
    if (auto kept = keep(first.password); !kept) co_return std::unexpected(kept.error());
  }
  auto noted = co_await audit_.append(**transaction, {.actor = system_actor(),
                                                      .category = AuditCategory::user_mgmt,
                                                      .action = "create_first_user",
                                                      .target = first.username});
  if (!noted) co_return std::unexpected(noted.error().for_caller());
  auto committed = co_await (*transaction)->commit();
  if (!committed) co_return std::unexpected(committed.error().for_caller());
  co_return true;
}

async::Task<Expected<bool>> LocalAccounts::matches(std::string password, std::string hash) {
  const auto work = [password = std::move(password), hash = std::move(hash)] {
    return identity::verify_password(password, hash);
  };
  co_return co_await workers_.run(work);
}

/// Counts the attempt. For a name that nobody has: a hash that no password fits, and no user.
async::Task<SignInResult<LoginRow>> LocalAccounts::find_login(std::string username, AuditEntry& attempt, Instant now,
                                                              bool& locks) {
  const auto remote_address = attempt.actor.remote_address;
  if (const auto wait = by_address_.count(remote_address, now)) {
    audit_.count(attempt, "too_many_requests");
    co_return std::unexpected(too_many_for(*wait));
  }
  auto login = co_await store_.find_login(username);
  if (!login) {
    by_address_.give_back(remote_address, now);
    co_return std::unexpected(failure_of(login.error()));
  }
  if (!*login) {
    if (const auto wait = by_unknown_name_.count(lower_case(username), now)) {
      audit_.count(attempt, "unknown_user");
      co_return std::unexpected(locked_for(*wait));
    }
    co_return LoginRow{.user_id = {}, .password_hash = identity::nobodys_hash()};
  }
  attempt.actor.username = username;
  attempt.actor.user_id = (*login)->user_id;
  attempt.target = username;
  auto locked = co_await store_.count_attempt((*login)->user_id, settings_.lock_after_failures, now,
                                              now + settings_.lock_time, &locks);
  if (!locked) co_return std::unexpected(failure_of(locked.error()));
  if (*locked) {
    audit_.count(attempt, "account_locked");
    co_return std::unexpected(locked_for(**locked - now));
  }
  co_return std::move(**login);
}

async::Task<SignInResult<LocalAccounts::Checked>> LocalAccounts::check(std::string username, std::string password,
                                                                       AuditEntry attempt) {
  const auto now = clock_();
  bool locks = false;
  auto login = co_await find_login(std::move(username), attempt, now, locks);
  if (!login) co_return std::unexpected(login.error());
  const bool known = !login->user_id.empty();
  auto right = co_await matches(std::move(password), login->password_hash);
  if (!right) co_return std::unexpected(failure_of(right.error()));
  if (!*right || !known) {
    audit_.count(attempt, known ? "wrong_password" : "unknown_user");
    if (locks) audit_.count(lock_after(std::move(attempt)), "too_many_failures");
    co_return std::unexpected(failure_of(wrong_credentials()));
  }
  by_address_.give_back(attempt.actor.remote_address, now);
  auto noted = co_await store_.note_login(login->user_id, now);
  if (!noted) co_return std::unexpected(failure_of(noted.error()));
  auto user = co_await store_.find_user(login->user_id);
  if (!user) co_return std::unexpected(failure_of(user.error()));
  if (!*user) co_return std::unexpected(failure_of(wrong_credentials()));
  co_return Checked{.user = std::move(**user), .password_hash = std::move(login->password_hash)};
}

}  // namespace cameleer::server
