#include "server/auth/admin_recovery.hpp"

#include <cameleer/identity/encoding.hpp>
#include <cameleer/identity/password.hpp>

namespace cameleer::server {
namespace {

constexpr std::string_view kNames[] = {"admin", "local-admin"};

constexpr std::string_view kPut =
    "insert into users as known (user_id, username, display_name, password_hash, created_at) "
    "values ($1::uuid, $2, 'Administrator', $3, $4::timestamptz) "
    "on conflict (lower(username)) do update set password_hash = excluded.password_hash, enabled = true, "
    "failed_login_attempts = 0, locked_until = null, "
    "token_revoked_before = date_trunc('second', excluded.created_at) "
    "where known.source = 'local' returning user_id";

constexpr std::string_view kEndAccess[] = {
    "delete from sessions where user_id = $1::uuid and created_at <= $2::timestamptz",
    "update refresh_tokens set revoked_at = $2::timestamptz where user_id = $1::uuid and revoked_at is null",
    "insert into user_roles (user_id, role_id, created_at) select $1::uuid, role_id, $2::timestamptz from roles "
    "where name = 'ADMIN' on conflict do nothing"};

struct Recovered {
  std::string user_id;
  std::string_view username;
};

async::Task<Expected<Recovered>> put_admin(postgres::Transaction& transaction, std::string new_id, std::string hash,
                                           std::string now) {
  for (const auto name : kNames) {
    postgres::Parameters parameters{new_id, name, hash, now};
    auto put = co_await transaction.query(std::string(kPut), std::move(parameters));
    if (!put) co_return std::unexpected(put.error().for_caller());
    if (put->rows() == 0) continue;
    Recovered recovered{.user_id = std::string(put->text(0, 0)), .username = name};
    for (const auto statement : kEndAccess) {
      postgres::Parameters about{recovered.user_id, now};
      auto done = co_await transaction.query(std::string(statement), std::move(about));
      if (!done) co_return std::unexpected(done.error().for_caller());
    }
    co_return recovered;
  }
  co_return fail(ErrorCode::conflict, "Users of the OpenID provider have both names that an administrator could get.");
}

}  // namespace

async::Task<Expected<std::string>> recover_admin(postgres::Pool& pool, AuditService& audit, async::WorkerPool& workers,
                                                 Clock clock, Random random,
                                                 std::function<Expected<void>(const std::string& password)> keep) {
  const auto password = identity::random_password(random);
  const auto work = [password, random] { return identity::hash_password(password, random); };
  auto hash = co_await workers.run(work);
  if (!hash) co_return std::unexpected(hash.error());
  auto transaction = co_await pool.begin();
  if (!transaction) co_return std::unexpected(transaction.error().for_caller());
  auto recovered =
      co_await put_admin(**transaction, identity::random_uuid(random), std::move(*hash), format_instant(clock()));
  if (!recovered) co_return std::unexpected(recovered.error());
  if (auto kept = keep(password); !kept) co_return std::unexpected(kept.error());
  AuditEntry entry{.actor = system_actor(),
                   .category = AuditCategory::user_mgmt,
                   .action = "recover_admin",
                   .target = std::string(recovered->username)};
  entry.detail["userId"] = recovered->user_id;
  auto noted = co_await audit.append(**transaction, std::move(entry));
  if (!noted) co_return std::unexpected(noted.error().for_caller());
  auto committed = co_await (*transaction)->commit();
  if (!committed) co_return std::unexpected(committed.error().for_caller());
  co_return std::string(recovered->username);
}

}  // namespace cameleer::server
