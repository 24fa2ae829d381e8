#include "server/users/account_store.hpp"

namespace cameleer::server {
namespace {

constexpr const char* kColumns =
    "select user_id, username, display_name, email, source, enabled, floor(extract(epoch from created_at) * "
    "1000)::bigint, floor(extract(epoch from last_login_at) * 1000)::bigint, floor(extract(epoch from locked_until) * "
    "1000)::bigint";
constexpr const char* kFound =
    ", password_hash, last_claims from users where user_id::text = lower($1) or lower(username) = lower($1) order by "
    "user_id::text = lower($1) desc limit 1";

std::optional<Instant> instant_at(const postgres::Result& result, std::size_t row, std::size_t column) {
  if (result.is_null(row, column)) return std::nullopt;
  return instant_of(result.integer(row, column));
}

Account account_at(const postgres::Result& result, std::size_t row) {
  Account account;
  account.id = result.text(row, 0);
  account.username = result.text(row, 1);
  account.display_name = result.text(row, 2);
  account.email = result.optional_text(row, 3);
  account.source = result.text(row, 4);
  account.enabled = result.boolean(row, 5);
  account.created_at = instant_of(result.integer(row, 6));
  account.last_login_at = instant_at(result, row, 7);
  account.locked_until = instant_at(result, row, 8);
  return account;
}

Expected<Account> found_in(const Expected<postgres::Result>& result) {
  if (!result) return std::unexpected(result.error());
  if (result->rows() == 0) return fail(ErrorCode::user_not_found, "There is no user of this id or name.", "userId");
  auto account = account_at(*result, 0);
  account.password_hash = result->optional_text(0, 9);
  account.last_claims = result->optional_text(0, 10);
  return account;
}

Expected<void> done(const Expected<std::int64_t>& changed) {
  if (!changed) return std::unexpected(in_words(changed.error(), "There is a user of this name."));
  return {};
}

}  // namespace

async::Task<Expected<std::vector<Account>>> AccountStore::list(postgres::Pool& pool, Page page) {
  postgres::Parameters parameters{page.search, page.after, static_cast<std::int64_t>(page.limit)};
  auto result = co_await ask(pool,
                             std::string(kColumns) +
                                 ", lower(username) from users where lower(username) > $2 and ($1 = '' or "
                                 "strpos(lower(username), lower($1)) > 0 or strpos(lower(display_name), lower($1)) > 0 "
                                 "or strpos(lower(email), lower($1)) > 0) order by lower(username) limit $3::bigint",
                             std::move(parameters));
  if (!result) co_return std::unexpected(result.error());
  std::vector<Account> accounts;
  for (std::size_t row = 0; row < result->rows(); ++row) {
    accounts.push_back(account_at(*result, row));
    accounts.back().sort_key = result->text(row, 9);
  }
  co_return accounts;
}

template <class Connection>
async::Task<Expected<Account>> AccountStore::find(Connection& connection, std::string id_or_name) {
  postgres::Parameters parameters{id_or_name};
  co_return found_in(co_await ask(connection, std::string(kColumns) + kFound, std::move(parameters)));
}
template async::Task<Expected<Account>> AccountStore::find(postgres::Pool&, std::string);
template async::Task<Expected<Account>> AccountStore::find(postgres::Transaction&, std::string);

async::Task<Expected<Account>> AccountStore::lock(postgres::Transaction& transaction, std::string id_or_name) {
  auto found = co_await find(transaction, std::move(id_or_name));
  if (!found) co_return found;
  postgres::Parameters parameters{found->id};
  co_return found_in(co_await ask(
      transaction,
      std::string(kColumns) + ", password_hash, last_claims from users where user_id = $1::uuid for update",
      std::move(parameters)));
}

async::Task<Expected<void>> AccountStore::insert(postgres::Transaction& transaction, Account account) {
  postgres::Parameters parameters{account.id,
                                  account.username,
                                  account.display_name,
                                  account.email,
                                  account.password_hash,
                                  account.enabled,
                                  format_instant(account.created_at)};
  co_return done(co_await change(transaction,
                                 "insert into users (user_id, username, display_name, email, password_hash, enabled, "
                                 "created_at) values ($1::uuid, $2, $3, $4, $5, $6::boolean, $7::timestamptz)",
                                 std::move(parameters)));
}

async::Task<Expected<void>> AccountStore::update(postgres::Transaction& transaction, Account account) {
  postgres::Parameters parameters{account.id, account.display_name, account.email, account.enabled};
  co_return done(co_await change(
      transaction, "update users set display_name = $2, email = $3, enabled = $4::boolean where user_id = $1::uuid",
      std::move(parameters)));
}

async::Task<Expected<void>> AccountStore::put_password(postgres::Transaction& transaction, std::string id,
                                                       std::string hash) {
  postgres::Parameters parameters{id, hash};
  co_return done(co_await change(transaction,
                                 "update users set password_hash = $2, failed_login_attempts = 0, locked_until = null "
                                 "where user_id = $1::uuid",
                                 std::move(parameters)));
}

async::Task<Expected<void>> AccountStore::remove(postgres::Transaction& transaction, std::string id) {
  postgres::Parameters parameters{id};
  co_return done(co_await change(transaction, "delete from users where user_id = $1::uuid", std::move(parameters)));
}

async::Task<Expected<bool>> AccountStore::is_last_admin(postgres::Transaction& transaction, std::string id) {
  postgres::Parameters parameters{id, kAdminRoleId};
  auto result = co_await ask(transaction,
                             "select coalesce(bool_and(user_id = $1::uuid), false) from user_roles join users using "
                             "(user_id) where role_id = $2::uuid and origin = 'direct' and enabled",
                             std::move(parameters));
  if (!result) co_return std::unexpected(result.error());
  co_return result->boolean(0, 0);
}

async::Task<Expected<void>> AccountStore::end_access(postgres::Transaction& transaction, std::string id, Instant now,
                                                     std::string kept) {
  // Tokens say their second only; what was issued within this one ends with its family.
  postgres::Parameters user{id, format_instant(now)};
  auto revoked = co_await change(
      transaction,
      "update users set token_revoked_before = date_trunc('second', $2::timestamptz) where user_id = $1::uuid",
      std::move(user));
  if (!revoked) co_return std::unexpected(revoked.error());
  postgres::Parameters tokens{id, format_instant(now)};
  auto families = co_await change(
      transaction,
      "update refresh_tokens set revoked_at = $2::timestamptz where user_id = $1::uuid and revoked_at is null",
      std::move(tokens));
  if (!families) co_return std::unexpected(families.error());
  postgres::Parameters others{id, kept};
  auto ended = co_await change(transaction, "delete from sessions where user_id = $1::uuid and session_hash <> $2",
                               std::move(others));
  if (!ended) co_return std::unexpected(ended.error());
  postgres::Parameters own{id, kept, format_instant(now)};
  co_return done(co_await change(
      transaction, "update sessions set created_at = $3::timestamptz where user_id = $1::uuid and session_hash = $2",
      std::move(own)));
}

}  // namespace cameleer::server
