#include "server/users/group_service.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <cameleer/identity/encoding.hpp>

namespace cameleer::server {
namespace {

namespace json = boost::json;

json::object json_of(const GroupDetails& group, const rbac::Directory& directory) {
  json::object object;
  object["name"] = group.group.name;
  object["description"] = group.description;
  if (group.group.parent_id) {
    object["parent"] = names_of_groups(directory, {*group.group.parent_id}).front();
  }
  json::array roles;
  for (const auto& id : group.group.role_ids) {
    const auto found = directory.roles.find(id);
    if (found != directory.roles.end()) roles.emplace_back(found->second.name);
  }
  object["roles"] = std::move(roles);
  return object;
}

AuditEntry entry_of(const Caller& caller, std::string action, const rbac::Group& group) {
  AuditEntry entry{
      .actor = caller.actor, .category = AuditCategory::rbac, .action = std::move(action), .target = group.name};
  entry.detail["groupId"] = group.id;
  return entry;
}

Expected<void> apply(const GroupChange& wanted, const rbac::Directory& directory, GroupDetails& group) {
  if (wanted.name) group.group.name = *wanted.name;
  if (wanted.description) group.description = *wanted.description;
  if (wanted.parent) {
    group.group.parent_id = std::nullopt;
    if (*wanted.parent) {
      const auto* parent = find_group(directory, **wanted.parent);
      if (parent == nullptr) {
        return fail(ErrorCode::group_not_found, "/parentId: there is no group of this id or name", "/parentId");
      }
      group.group.parent_id = parent->id;
    }
  }
  if (!wanted.roles) return {};
  group.group.role_ids.clear();
  for (std::size_t i = 0; i < wanted.roles->size(); ++i) {
    const auto* role = find_role(directory, (*wanted.roles)[i]);
    const auto at = fmt::format("/roles/{}", i);
    if (role == nullptr) return fail(ErrorCode::role_not_found, at + ": there is no role of this id or name", at);
    if (std::ranges::find(group.group.role_ids, role->id) == group.group.role_ids.end()) {
      group.group.role_ids.push_back(role->id);
    }
  }
  std::ranges::sort(group.group.role_ids);
  return {};
}

Expected<void> check(const Caller& caller, rbac::Directory& directory, const rbac::Group& after) {
  if (after.parent_id && rbac::would_cycle(directory, after.id, *after.parent_id)) {
    return fail(ErrorCode::conflict, "The group would be its own ancestor.", "/parentId");
  }
  directory.groups[after.id] = after;
  return check_may_grant(caller, permissions_of_group(directory, after.id));
}

}  // namespace

async::Task<Expected<GroupService::Listed>> GroupService::list() {
  auto directory = co_await read_directory(pool_);
  if (!directory) co_return std::unexpected(directory.error());
  auto groups = co_await GroupStore::list(pool_, std::nullopt);
  if (!groups) co_return std::unexpected(groups.error());
  co_return Listed{.groups = std::move(*groups), .directory = std::move(*directory)};
}

async::Task<Expected<GroupService::Listed>> GroupService::find(std::string id_or_name) {
  auto directory = co_await read_directory(pool_);
  if (!directory) co_return std::unexpected(directory.error());
  auto group = group_in(*directory, id_or_name);
  if (!group) co_return std::unexpected(group.error());
  auto groups = co_await GroupStore::list(pool_, group->id);
  if (!groups) co_return std::unexpected(groups.error());
  if (groups->empty()) co_return fail(ErrorCode::group_not_found, "There is no group of this id or name.", "group");
  co_return Listed{.groups = std::move(*groups), .directory = std::move(*directory)};
}

async::Task<Expected<GroupService::Listed>> GroupService::create(Caller caller, GroupChange wanted) {
  auto transaction = co_await begin_access_change(pool_);
  if (!transaction) co_return std::unexpected(transaction.error());
  auto directory = co_await read_directory(**transaction);
  if (!directory) co_return std::unexpected(directory.error());
  if (directory->groups.size() >= kMostGroups) {
    co_return fail(ErrorCode::conflict, fmt::format("There may be {} groups at most.", kMostGroups));
  }
  GroupDetails group;
  group.group.id = identity::random_uuid(random_);
  group.created_at = clock_();
  if (auto applied = apply(wanted, *directory, group); !applied) co_return std::unexpected(applied.error());
  if (auto checked = check(caller, *directory, group.group); !checked) co_return std::unexpected(checked.error());
  auto inserted = co_await GroupStore::insert(**transaction, group);
  if (!inserted) co_return std::unexpected(inserted.error());
  auto entry = entry_of(caller, "create_group", group.group);
  entry.detail["after"] = json_of(group, *directory);
  auto committed = co_await commit_access_change(std::move(*transaction), audit_, std::move(entry));
  if (!committed) co_return std::unexpected(committed.error());
  co_return Listed{.groups = {std::move(group)}, .directory = std::move(*directory)};
}

async::Task<Expected<void>> GroupService::store(AccessTransaction transaction, const Caller& caller,
                                                rbac::Directory& directory, GroupDetails before, GroupDetails after) {
  const auto was = json_of(before, directory);
  // Who only renames a group gives nobody anything.
  const bool gives = before.group.parent_id != after.group.parent_id ||
                     !std::ranges::includes(before.group.role_ids, after.group.role_ids);
  auto checked = check(caller, directory, after.group);
  if (!checked && (gives || checked.error().code != ErrorCode::forbidden)) co_return checked;
  auto updated = co_await GroupStore::update(*transaction, after);
  if (!updated) co_return updated;
  auto entry = entry_of(caller, "update_group", before.group);
  entry.detail["before"] = was;
  entry.detail["after"] = json_of(after, directory);
  auto committed = co_await commit_access_change(std::move(transaction), audit_, std::move(entry));
  auth_.forget_known();
  co_return committed;
}

async::Task<Expected<GroupService::Listed>> GroupService::update(Caller caller, std::string id_or_name,
                                                                 GroupChange wanted) {
  auto transaction = co_await begin_access_change(pool_);
  if (!transaction) co_return std::unexpected(transaction.error());
  auto directory = co_await read_directory(**transaction);
  if (!directory) co_return std::unexpected(directory.error());
  auto group = group_in(*directory, id_or_name);
  if (!group) co_return std::unexpected(group.error());
  auto known = co_await GroupStore::list(**transaction, group->id);
  if (!known) co_return std::unexpected(known.error());
  auto after = known->front();
  if (auto applied = apply(wanted, *directory, after); !applied) co_return std::unexpected(applied.error());
  auto stored = co_await store(std::move(*transaction), caller, *directory, known->front(), after);
  if (!stored) co_return std::unexpected(stored.error());
  co_return Listed{.groups = {std::move(after)}, .directory = std::move(*directory)};
}

async::Task<Expected<void>> GroupService::put_role(Caller caller, std::string id_or_name, std::string role,
                                                   bool given) {
  auto transaction = co_await begin_access_change(pool_);
  if (!transaction) co_return std::unexpected(transaction.error());
  auto directory = co_await read_directory(**transaction);
  if (!directory) co_return std::unexpected(directory.error());
  auto group = group_in(*directory, id_or_name);
  if (!group) co_return std::unexpected(group.error());
  auto found = role_in(*directory, role);
  if (!found) co_return std::unexpected(found.error());
  auto known = co_await GroupStore::list(**transaction, group->id);
  if (!known) co_return std::unexpected(known.error());
  auto after = known->front();
  const auto erased = std::erase(after.group.role_ids, found->id);
  if ((erased > 0) == given) co_return Expected<void>{};
  if (given) after.group.role_ids.push_back(found->id);
  std::ranges::sort(after.group.role_ids);
  co_return co_await store(std::move(*transaction), caller, *directory, known->front(), after);
}

async::Task<Expected<void>> GroupService::remove(Caller caller, std::string id_or_name) {
  auto transaction = co_await begin_access_change(pool_);
  if (!transaction) co_return std::unexpected(transaction.error());
  auto directory = co_await read_directory(**transaction);
  if (!directory) co_return std::unexpected(directory.error());
  auto group = group_in(*directory, id_or_name);
  if (!group) co_return std::unexpected(group.error());
  for (const auto& [id, other] : directory->groups) {
    if (other.parent_id == group->id) {
      co_return fail(ErrorCode::conflict, "There are groups below this one; delete or move them first.", "group");
    }
  }
  auto known = co_await GroupStore::list(**transaction, group->id);
  if (!known) co_return std::unexpected(known.error());
  auto removed = co_await GroupStore::remove(**transaction, group->id);
  if (!removed) co_return removed;
  auto entry = entry_of(caller, "delete_group", *group);
  entry.detail["before"] = json_of(known->front(), *directory);
  auto committed = co_await commit_access_change(std::move(*transaction), audit_, std::move(entry));
  auth_.forget_known();
  co_return committed;
}

}  // namespace cameleer::server
