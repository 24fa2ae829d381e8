#include "server/users/assignment_service.hpp"

namespace cameleer::server {
namespace {

using Kind = AssignmentService::Kind;

/// A role or group, found.
struct Found {
  std::string id, name;
  rbac::Permissions permissions;
};

Expected<Found> find_target(const rbac::Directory& directory, const AssignmentService::Target& target) {
  if (target.kind == Kind::role) {
    auto role = role_in(directory, target.id_or_name);
    if (!role) return std::unexpected(role.error());
    return Found{.id = role->id, .name = role->name, .permissions = role->permissions};
  }
  auto group = group_in(directory, target.id_or_name);
  if (!group) return std::unexpected(group.error());
  return Found{.id = group->id, .name = group->name, .permissions = permissions_of_group(directory, group->id)};
}

AuditEntry entry_of(const Caller& caller, std::string action, const Account& account, Kind kind, const Found& found) {
  AuditEntry entry{
      .actor = caller.actor, .category = AuditCategory::rbac, .action = std::move(action), .target = account.username};
  entry.detail["userId"] = account.id;
  entry.detail[kind == Kind::role ? "role" : "group"] = found.name;
  entry.detail["origin"] = "direct";
  return entry;
}

}  // namespace

async::Task<Expected<void>> AssignmentService::give(Caller caller, std::string user, Target target) {
  auto transaction = co_await begin_access_change(pool_);
  if (!transaction) co_return std::unexpected(transaction.error());
  auto account = co_await AccountStore::lock(**transaction, std::move(user));
  if (!account) co_return std::unexpected(account.error());
  auto directory = co_await read_directory(**transaction);
  if (!directory) co_return std::unexpected(directory.error());
  auto found = find_target(*directory, target);
  if (!found) co_return std::unexpected(found.error());
  if (auto may = check_may_grant(caller, found->permissions); !may) co_return may;
  const bool is_role = target.kind == Kind::role;
  postgres::Parameters parameters{account->id, found->id, format_instant(clock_())};
  auto given = co_await change(
      **transaction,
      fmt::format("insert into {} (user_id, {}, origin, created_at) values ($1::uuid, $2::uuid, 'direct', "
                  "$3::timestamptz) on conflict do nothing",
                  is_role ? "user_roles" : "user_groups", is_role ? "role_id" : "group_id"),
      std::move(parameters));
  if (!given) co_return std::unexpected(given.error());
  if (*given == 0) co_return Expected<void>{};
  auto entry = entry_of(caller, is_role ? "assign_role" : "add_to_group", *account, target.kind, *found);
  auto committed = co_await commit_access_change(std::move(*transaction), audit_, std::move(entry));
  auth_.forget_known();
  co_return committed;
}

async::Task<Expected<void>> AssignmentService::take(Caller caller, std::string user, Target target) {
  auto transaction = co_await begin_access_change(pool_);
  if (!transaction) co_return std::unexpected(transaction.error());
  auto account = co_await AccountStore::lock(**transaction, std::move(user));
  if (!account) co_return std::unexpected(account.error());
  auto directory = co_await read_directory(**transaction);
  if (!directory) co_return std::unexpected(directory.error());
  auto found = find_target(*directory, target);
  if (!found) co_return std::unexpected(found.error());
  const bool is_role = target.kind == Kind::role;
  if (is_role && found->id == kAdminRoleId) {
    auto last = co_await AccountStore::is_last_admin(**transaction, account->id);
    if (!last) co_return std::unexpected(last.error());
    if (*last) co_return fail(ErrorCode::conflict, "The last ADMIN cannot lose that role.");
  }
  postgres::Parameters parameters{account->id, found->id};
  auto taken =
      co_await change(**transaction,
                      fmt::format("delete from {} where user_id = $1::uuid and {} = $2::uuid and origin = 'direct'",
                                  is_role ? "user_roles" : "user_groups", is_role ? "role_id" : "group_id"),
                      std::move(parameters));
  if (!taken) co_return std::unexpected(taken.error());
  if (*taken == 0) co_return Expected<void>{};
  auto entry = entry_of(caller, is_role ? "remove_role" : "remove_from_group", *account, target.kind, *found);
  auto committed = co_await commit_access_change(std::move(*transaction), audit_, std::move(entry));
  auth_.forget_known();
  co_return committed;
}

async::Task<Expected<EffectiveView>> AssignmentService::effective(std::string user) {
  auto account = co_await AccountStore::find(pool_, std::move(user));
  if (!account) co_return std::unexpected(account.error());
  auto assignments = co_await read_assignments(pool_, account->id);
  if (!assignments) co_return std::unexpected(assignments.error());
  auto directory = co_await read_directory(pool_);
  if (!directory) co_return std::unexpected(directory.error());
  auto effective = rbac::effective(*directory, assignments->roles, assignments->groups);
  co_return EffectiveView{
      .account = std::move(*account), .effective = std::move(effective), .directory = std::move(*directory)};
}

}  // namespace cameleer::server
