#include "server/users/access_change.hpp"

#include "server/auth/principal.hpp"

namespace cameleer::server {

Caller caller_of(const web::Request& request) {
  const auto& principal = principal_of(request);
  return {.actor = actor_of(request), .permissions = principal.permissions, .session = principal.token_id};
}

Expected<void> check_may_grant(const Caller& caller, const rbac::Permissions& wanted) {
  for (const auto permission : rbac::all_permissions()) {
    if (!wanted.has(permission) || caller.permissions.has(permission)) continue;
    return fail(ErrorCode::forbidden,
                fmt::format("This would give the permission {}, which you do not have.", rbac::name_of(permission)));
  }
  return {};
}

async::Task<Expected<AccessTransaction>> begin_access_change(postgres::Pool& pool, Turn turn) {
  auto transaction = co_await pool.begin();
  if (!transaction) co_return std::unexpected(transaction.error().for_caller());
  const std::string lock = turn == Turn::alone ? "pg_advisory_xact_lock" : "pg_advisory_xact_lock_shared";
  auto locked =
      co_await (*transaction)->query("select " + lock + "(hashtextextended(current_schema() || ' access', 0))");
  if (!locked) co_return std::unexpected(locked.error().for_caller());
  co_return std::move(*transaction);
}

async::Task<Expected<void>> commit_access_change(AccessTransaction transaction, AuditService& audit, AuditEntry entry) {
  auto recorded = co_await audit.append(*transaction, std::move(entry));
  if (!recorded) co_return std::unexpected(recorded.error().for_caller());
  auto committed = co_await transaction->commit();
  if (!committed) co_return std::unexpected(committed.error().for_caller());
  co_return Expected<void>{};
}

async::Task<Expected<std::int64_t>> change(postgres::Transaction& transaction, std::string sql,
                                           postgres::Parameters parameters) {
  auto result = co_await transaction.query(std::move(sql), std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return result->affected();
}

Error in_words(Error error, std::string conflict) {
  if (error.code == ErrorCode::conflict) error.message = std::move(conflict);
  return error;
}

}  // namespace cameleer::server
