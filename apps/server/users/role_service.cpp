#include "server/users/role_service.hpp"

#include <boost/json/array.hpp>
#include <cameleer/identity/encoding.hpp>

namespace cameleer::server {
namespace {

namespace json = boost::json;

constexpr std::size_t kLongestName = 64, kLongestDescription = 1'024;

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName &&
         name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_:-") ==
             std::string_view::npos;
}

bool is_machine_role(std::string name) {
  for (auto& c : name) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return name == "AGENT";
}

Expected<void> apply(const RoleChange& wanted, RoleDetails& role) {
  if (wanted.name) {
    if (!is_name(*wanted.name)) {
      return fail(ErrorCode::invalid_member,
                  fmt::format("/name: must have 1 to {} letters, digits, '_', ':' or '-'", kLongestName), "/name");
    }
    if (is_machine_role(*wanted.name)) {
      return fail(ErrorCode::invalid_member, "/name: must not be AGENT: that role is for machines", "/name");
    }
    role.name = *wanted.name;
  }
  if (wanted.description) role.description = wanted.description->substr(0, kLongestDescription);
  if (!wanted.permissions) return {};
  role.permissions = {};
  for (std::size_t i = 0; i < wanted.permissions->size(); ++i) {
    const auto permission = rbac::permission_of((*wanted.permissions)[i]);
    if (!permission) {
      const auto at = fmt::format("/permissions/{}", i);
      return fail(ErrorCode::invalid_member, at + ": there is no such permission", at);
    }
    role.permissions.add(*permission);
  }
  return {};
}

json::object json_of(const RoleDetails& role) {
  json::object object;
  object["name"] = role.name;
  object["description"] = role.description;
  json::array permissions;
  for (const auto& name : role.permissions.names()) permissions.emplace_back(name);
  object["permissions"] = std::move(permissions);
  return object;
}

AuditEntry entry_of(const Caller& caller, std::string action, const std::string& target) {
  return {.actor = caller.actor, .category = AuditCategory::rbac, .action = std::move(action), .target = target};
}

}  // namespace

async::Task<Expected<std::vector<RoleDetails>>> RoleService::list() {
  co_return co_await store_.list();
}

async::Task<Expected<RoleDetails>> RoleService::find(std::string id_or_name) {
  auto found = co_await RoleStore::find(pool_, std::move(id_or_name));
  if (!found) co_return std::unexpected(found.error());
  if (!*found) co_return fail(ErrorCode::role_not_found, "There is no role of this id or name.", "role");
  co_return std::move(**found);
}

async::Task<Expected<RoleDetails>> RoleService::changeable(postgres::Transaction& transaction, std::string id_or_name) {
  auto found = co_await RoleStore::find(transaction, std::move(id_or_name));
  if (!found) co_return std::unexpected(found.error());
  if (!*found) co_return fail(ErrorCode::role_not_found, "There is no role of this id or name.", "role");
  if ((*found)->system) co_return fail(ErrorCode::conflict, "A system role cannot be changed or deleted.", "role");
  co_return std::move(**found);
}

async::Task<Expected<RoleDetails>> RoleService::create(Caller caller, RoleChange wanted) {
  RoleDetails role;
  role.id = identity::random_uuid(random_);
  role.created_at = clock_();
  if (!wanted.name) wanted.name.emplace();
  if (auto applied = apply(wanted, role); !applied) co_return std::unexpected(applied.error());
  if (auto may = check_may_grant(caller, role.permissions); !may) co_return std::unexpected(may.error());
  auto transaction = co_await begin_access_change(pool_);
  if (!transaction) co_return std::unexpected(transaction.error());
  const auto known = co_await RoleStore::count(**transaction);
  if (!known) co_return std::unexpected(known.error());
  if (*known >= kMostRoles) {
    co_return fail(ErrorCode::conflict, fmt::format("There may be {} roles at most.", kMostRoles));
  }
  auto inserted = co_await RoleStore::insert(**transaction, role);
  if (!inserted) co_return std::unexpected(inserted.error());
  auto entry = entry_of(caller, "create_role", role.name);
  entry.detail["roleId"] = role.id;
  entry.detail["after"] = json_of(role);
  auto committed = co_await commit_access_change(std::move(*transaction), audit_, std::move(entry));
  if (!committed) co_return std::unexpected(committed.error());
  co_return role;
}

async::Task<Expected<RoleDetails>> RoleService::update(Caller caller, std::string id_or_name, RoleChange wanted) {
  auto transaction = co_await begin_access_change(pool_);
  if (!transaction) co_return std::unexpected(transaction.error());
  auto before = co_await changeable(**transaction, std::move(id_or_name));
  if (!before) co_return before;
  RoleDetails role = *before;
  if (auto applied = apply(wanted, role); !applied) co_return std::unexpected(applied.error());
  if (auto may = check_may_grant(caller, role.permissions); !may) co_return std::unexpected(may.error());
  auto updated = co_await RoleStore::update(**transaction, role);
  if (!updated) co_return std::unexpected(updated.error());
  auto entry = entry_of(caller, "update_role", before->name);
  entry.detail["roleId"] = role.id;
  entry.detail["before"] = json_of(*before);
  entry.detail["after"] = json_of(role);
  auto committed = co_await commit_access_change(std::move(*transaction), audit_, std::move(entry));
  auth_.forget_known();
  if (!committed) co_return std::unexpected(committed.error());
  co_return role;
}

async::Task<Expected<void>> RoleService::remove(Caller caller, std::string id_or_name) {
  auto transaction = co_await begin_access_change(pool_);
  if (!transaction) co_return std::unexpected(transaction.error());
  auto before = co_await changeable(**transaction, std::move(id_or_name));
  if (!before) co_return std::unexpected(before.error());
  auto removed = co_await RoleStore::remove(**transaction, before->id);
  if (!removed) co_return removed;
  auto entry = entry_of(caller, "delete_role", before->name);
  entry.detail["roleId"] = before->id;
  entry.detail["before"] = json_of(*before);
  auto committed = co_await commit_access_change(std::move(*transaction), audit_, std::move(entry));
  auth_.forget_known();
  co_return committed;
}

}  // namespace cameleer::server
