#include "server/users/session_service.hpp"

namespace cameleer::server {
namespace {

constexpr std::size_t kIdLength = 32;

AuditEntry entry_of(const Caller& caller, std::string action, const Account& account) {
  AuditEntry entry{.actor = caller.actor,
                   .category = AuditCategory::user_mgmt,
                   .action = std::move(action),
                   .target = account.username};
  entry.detail["userId"] = account.id;
  return entry;
}

}  // namespace

async::Task<Expected<std::vector<SessionDetails>>> SessionService::list(Caller caller, std::string user) {
  auto account = co_await AccountStore::find(pool_, std::move(user));
  if (!account) co_return std::unexpected(account.error());
  const auto now = clock_();
  postgres::Parameters parameters{account->id, format_instant(now - session_idle_), format_instant(now)};
  auto result = co_await ask(pool_,
                             "select session_hash, floor(extract(epoch from created_at) * 1000)::bigint, "
                             "floor(extract(epoch from last_seen_at) * 1000)::bigint, floor(extract(epoch from "
                             "expires_at) * 1000)::bigint, remote_address, user_agent from sessions where user_id = "
                             "$1::uuid and last_seen_at > $2::timestamptz and expires_at > $3::timestamptz order by "
                             "last_seen_at desc, session_hash limit 1000",
                             std::move(parameters));
  if (!result) co_return std::unexpected(result.error());
  std::vector<SessionDetails> sessions;
  for (std::size_t row = 0; row < result->rows(); ++row) {
    const auto hash = result->text(row, 0);
    sessions.push_back({.id = std::string(hash.substr(0, kIdLength)),
                        .created_at = instant_of(result->integer(row, 1)),
                        .last_seen_at = instant_of(result->integer(row, 2)),
                        .expires_at = instant_of(result->integer(row, 3)),
                        .remote_address = std::string(result->text(row, 4)),
                        .user_agent = std::string(result->text(row, 5)),
                        .current = hash == caller.session});
  }
  co_return sessions;
}

async::Task<Expected<void>> SessionService::end(Caller caller, std::string user, std::string session_id) {
  auto transaction = co_await begin_access_change(pool_, Turn::beside_others);
  if (!transaction) co_return std::unexpected(transaction.error());
  auto account = co_await AccountStore::find(**transaction, std::move(user));
  if (!account) co_return std::unexpected(account.error());
  postgres::Parameters parameters{account->id, session_id, static_cast<std::int64_t>(kIdLength)};
  auto ended = co_await change(
      **transaction, "delete from sessions where user_id = $1::uuid and left(session_hash::text, $3::int) = $2",
      std::move(parameters));
  if (!ended) co_return std::unexpected(ended.error());
  if (*ended == 0) co_return fail(ErrorCode::session_not_found, "The user has no session of this id.", "sessionId");
  auto entry = entry_of(caller, "end_session", *account);
  entry.detail["sessionId"] = session_id;
  auto committed = co_await commit_access_change(std::move(*transaction), audit_, std::move(entry));
  auth_.forget_known();
  co_return committed;
}

async::Task<Expected<void>> SessionService::end_all(Caller caller, std::string user) {
  auto transaction = co_await begin_access_change(pool_, Turn::beside_others);
  if (!transaction) co_return std::unexpected(transaction.error());
  auto account = co_await AccountStore::lock(**transaction, std::move(user));
  if (!account) co_return std::unexpected(account.error());
  const bool own = caller.actor.user_id == account->id;
  auto ended = co_await AccountStore::end_access(**transaction, account->id, clock_(), own ? caller.session : "");
  if (!ended) co_return ended;
  auto entry = entry_of(caller, "end_all_sessions", *account);
  auto committed = co_await commit_access_change(std::move(*transaction), audit_, std::move(entry));
  auth_.forget_known();
  co_return committed;
}

}  // namespace cameleer::server
