#include "server/users/group_store.hpp"

namespace cameleer::server {
namespace {

constexpr const char* kTaken = "There is a group of this name.";

async::Task<Expected<void>> put_roles(postgres::Transaction& transaction, rbac::Group group) {
  postgres::Parameters parameters{group.id, postgres::Parameter::text_array(group.role_ids)};
  auto removed =
      co_await change(transaction, "delete from group_roles where group_id = $1::uuid and role_id <> all ($2::uuid[])",
                      std::move(parameters));
  if (!removed) co_return std::unexpected(removed.error());
  postgres::Parameters added{group.id, postgres::Parameter::text_array(group.role_ids)};
  auto inserted = co_await change(transaction,
                                  "insert into group_roles (group_id, role_id) select $1::uuid, unnest($2::uuid[]) "
                                  "on conflict do nothing",
                                  std::move(added));
  if (!inserted) co_return std::unexpected(inserted.error());
  co_return Expected<void>{};
}

}  // namespace

template <class Connection>
async::Task<Expected<std::vector<GroupDetails>>> GroupStore::list(Connection& connection,
                                                                  std::optional<std::string> id) {
  postgres::Parameters parameters{id};
  auto result = co_await ask(
      connection,
      "select g.group_id, g.name, g.parent_group_id, g.description, floor(extract(epoch from g.created_at) * "
      "1000)::bigint, (select count(distinct user_id) from user_groups ug where ug.group_id = g.group_id), "
      "(select coalesce(string_agg(role_id::text, ',' order by role_id), '') from group_roles gr where gr.group_id = "
      "g.group_id) from groups g where $1::uuid is null or g.group_id = $1::uuid order by lower(g.name)",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error());
  std::vector<GroupDetails> groups;
  for (std::size_t row = 0; row < result->rows(); ++row) {
    GroupDetails group{.group = {.id = std::string(result->text(row, 0)),
                                 .name = std::string(result->text(row, 1)),
                                 .parent_id = result->optional_text(row, 2),
                                 .role_ids = {}},
                       .description = std::string(result->text(row, 3)),
                       .members = result->integer(row, 5),
                       .created_at = instant_of(result->integer(row, 4))};
    std::string_view ids = result->text(row, 6);
    while (!ids.empty()) {
      const auto comma = std::min(ids.find(','), ids.size());
      group.group.role_ids.emplace_back(ids.substr(0, comma));
      ids.remove_prefix(std::min(comma + 1, ids.size()));
    }
    groups.push_back(std::move(group));
  }
  co_return groups;
}
template async::Task<Expected<std::vector<GroupDetails>>> GroupStore::list(postgres::Pool&, std::optional<std::string>);
template async::Task<Expected<std::vector<GroupDetails>>> GroupStore::list(postgres::Transaction&,
                                                                           std::optional<std::string>);

async::Task<Expected<void>> GroupStore::insert(postgres::Transaction& transaction, GroupDetails group) {
  postgres::Parameters parameters{group.group.id, group.group.name, group.description, group.group.parent_id,
                                  format_instant(group.created_at)};
  auto inserted = co_await change(transaction,
                                  "insert into groups (group_id, name, description, parent_group_id, created_at) "
                                  "values ($1::uuid, $2, $3, $4::uuid, $5::timestamptz)",
                                  std::move(parameters));
  if (!inserted) co_return std::unexpected(in_words(inserted.error(), kTaken));
  co_return co_await put_roles(transaction, std::move(group.group));
}

async::Task<Expected<void>> GroupStore::update(postgres::Transaction& transaction, GroupDetails group) {
  postgres::Parameters parameters{group.group.id, group.group.name, group.description, group.group.parent_id};
  auto updated = co_await change(transaction,
                                 "update groups set name = $2, description = $3, parent_group_id = $4::uuid where "
                                 "group_id = $1::uuid",
                                 std::move(parameters));
  if (!updated) co_return std::unexpected(in_words(updated.error(), kTaken));
  co_return co_await put_roles(transaction, std::move(group.group));
}

async::Task<Expected<void>> GroupStore::remove(postgres::Transaction& transaction, std::string id) {
  postgres::Parameters parameters{id};
  auto removed = co_await change(transaction, "delete from groups where group_id = $1::uuid", std::move(parameters));
  if (!removed) co_return std::unexpected(removed.error());
  co_return Expected<void>{};
}

}  // namespace cameleer::server
