#pragma once
#include <cameleer/core/rbac.hpp>
#include <cameleer/postgres/pool.hpp>

#include "server/audit/audit_service.hpp"

/// What all changes of users, roles, groups and claim mapping rules have in common.
namespace cameleer::server {

inline constexpr std::string_view kAdminRoleId = "00000000-0000-4000-8000-000000000003";

/// Who changes something, and what they may do themselves.
struct Caller {
  AuditActor actor;
  rbac::Permissions permissions;
  std::string session;  ///< hash of the session that the request came with; another id when it came with a token
};
/// Of a request whose route is not public.
Caller caller_of(const web::Request& request);

/// `forbidden` when `wanted` holds a permission that the caller does not: nobody gives what they do not have.
Expected<void> check_may_grant(const Caller& caller, const rbac::Permissions& wanted);

using AccessTransaction = std::unique_ptr<postgres::Transaction>;

/// `alone`: one change of users, roles, groups or rules at a time, over all processes, so that what was checked (the
/// last ADMIN, a cycle of groups) still holds at the commit. `beside_others`: together with others of its kind, not
/// with one that is alone.
enum class Turn : std::uint8_t { alone, beside_others };
async::Task<Expected<AccessTransaction>> begin_access_change(postgres::Pool& pool, Turn turn = Turn::alone);

/// Records the change and commits both.
async::Task<Expected<void>> commit_access_change(AccessTransaction transaction, AuditService& audit, AuditEntry entry);

/// A statement of a pool or of a transaction, with its failure as callers get it.
template <class Connection>
async::Task<Expected<postgres::Result>> ask(Connection& connection, std::string sql, postgres::Parameters parameters) {
  auto result = co_await connection.query(std::move(sql), std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return std::move(*result);
}

/// Like `ask`; the rows it changed.
async::Task<Expected<std::int64_t>> change(postgres::Transaction& transaction, std::string sql,
                                           postgres::Parameters parameters);

/// `conflict` (a violated constraint) with a sentence of the caller's.
Error in_words(Error error, std::string conflict);

}  // namespace cameleer::server
