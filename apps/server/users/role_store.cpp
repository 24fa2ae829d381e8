#include "server/users/role_store.hpp"

namespace cameleer::server {
namespace {

constexpr const char* kSelect =
    "select role_id, name, description, system, array_to_string(permissions, ','), "
    "floor(extract(epoch from created_at) * 1000)::bigint from roles ";

RoleDetails role_at(const postgres::Result& result, std::size_t row) {
  RoleDetails role{.id = std::string(result.text(row, 0)),
                   .name = std::string(result.text(row, 1)),
                   .description = std::string(result.text(row, 2)),
                   .system = result.boolean(row, 3),
                   .permissions = {},
                   .created_at = instant_of(result.integer(row, 5))};
  if (role.system) {
    role.permissions = rbac::system_role(role.name).value_or(rbac::Permissions{});
    return role;
  }
  std::string_view names = result.text(row, 4);
  while (!names.empty()) {
    const auto comma = std::min(names.find(','), names.size());
    if (const auto permission = rbac::permission_of(names.substr(0, comma))) role.permissions.add(*permission);
    names.remove_prefix(std::min(comma + 1, names.size()));
  }
  return role;
}

postgres::Parameter permissions_of(const RoleDetails& role) {
  return postgres::Parameter::text_array(role.permissions.names());
}

Expected<void> done(const Expected<std::int64_t>& changed) {
  if (!changed) return std::unexpected(in_words(changed.error(), "There is a role of this name."));
  return {};
}

}  // namespace

async::Task<Expected<std::vector<RoleDetails>>> RoleStore::list() {
  auto result = co_await ask(pool_, std::string(kSelect) + "order by system desc, lower(name)", {});
  if (!result) co_return std::unexpected(result.error());
  std::vector<RoleDetails> roles;
  for (std::size_t row = 0; row < result->rows(); ++row) roles.push_back(role_at(*result, row));
  co_return roles;
}

template <class Connection>
async::Task<Expected<std::optional<RoleDetails>>> RoleStore::find(Connection& connection, std::string id_or_name) {
  postgres::Parameters parameters{id_or_name};
  auto result = co_await ask(connection,
                             std::string(kSelect) +
                                 "where role_id::text = lower($1) or lower(name) = lower($1) "
                                 "order by role_id::text = lower($1) desc limit 1",
                             std::move(parameters));
  if (!result) co_return std::unexpected(result.error());
  if (result->rows() == 0) co_return std::optional<RoleDetails>{};
  co_return std::optional(role_at(*result, 0));
}
template async::Task<Expected<std::optional<RoleDetails>>> RoleStore::find(postgres::Pool&, std::string);
template async::Task<Expected<std::optional<RoleDetails>>> RoleStore::find(postgres::Transaction&, std::string);

async::Task<Expected<std::size_t>> RoleStore::count(postgres::Transaction& transaction) {
  auto result = co_await ask(transaction, "select count(*) from roles", {});
  if (!result) co_return std::unexpected(result.error());
  co_return static_cast<std::size_t>(result->integer(0, 0));
}

async::Task<Expected<void>> RoleStore::insert(postgres::Transaction& transaction, RoleDetails role) {
  postgres::Parameters parameters{role.id, role.name, role.description, permissions_of(role),
                                  format_instant(role.created_at)};
  co_return done(co_await change(transaction,
                                 "insert into roles (role_id, name, description, permissions, created_at) values "
                                 "($1::uuid, $2, $3, $4::text[], $5::timestamptz)",
                                 std::move(parameters)));
}

async::Task<Expected<void>> RoleStore::update(postgres::Transaction& transaction, RoleDetails role) {
  postgres::Parameters parameters{role.id, role.name, role.description, permissions_of(role)};
  co_return done(co_await change(transaction,
                                 "update roles set name = $2, description = $3, permissions = $4::text[] where role_id "
                                 "= $1::uuid and not system",
                                 std::move(parameters)));
}

async::Task<Expected<void>> RoleStore::remove(postgres::Transaction& transaction, std::string id) {
  postgres::Parameters parameters{id};
  co_return done(
      co_await change(transaction, "delete from roles where role_id = $1::uuid and not system", std::move(parameters)));
}

}  // namespace cameleer::server
