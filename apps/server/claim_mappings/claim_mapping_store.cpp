#include "server/claim_mappings/claim_mapping_store.hpp"

namespace cameleer::server {
namespace {

Expected<void> done(const Expected<std::int64_t>& changed) {
  if (!changed) return std::unexpected(changed.error());
  return {};
}

Expected<ClaimsUser> user_in(const Expected<postgres::Result>& result) {
  if (!result) return std::unexpected(result.error());
  if (result->rows() == 0) return fail(ErrorCode::user_not_found, "There is no user of this id or name.", "/userId");
  return ClaimsUser{.id = std::string(result->text(0, 0)),
                    .username = std::string(result->text(0, 1)),
                    .last_claims = result->optional_text(0, 2)};
}

postgres::Parameters parameters_of(const StoredRule& stored, Instant when) {
  const auto& rule = stored.rule;
  return {rule.id,
          rule.claim,
          std::string(claims::name_of(rule.match)),
          rule.value,
          std::string(claims::name_of(rule.action)),
          rule.target,
          rule.priority,
          format_instant(when)};
}

}  // namespace

template <class Connection>
async::Task<Expected<std::vector<StoredRule>>> ClaimMappingStore::list(Connection& connection) {
  auto result = co_await ask(connection,
                             "select id, claim, match_type, match_value, action, target, priority, "
                             "floor(extract(epoch from created_at) * 1000)::bigint, floor(extract(epoch from "
                             "updated_at) * 1000)::bigint from claim_mapping_rules order by priority, id",
                             {});
  if (!result) co_return std::unexpected(result.error());
  std::vector<StoredRule> rules;
  for (std::size_t row = 0; row < result->rows(); ++row) {
    const auto match = claims::match_of(result->text(row, 2));
    const auto action = claims::action_of(result->text(row, 4));
    if (!match || !action) co_return fail(ErrorCode::internal, "A stored claim mapping rule cannot be read.");
    rules.push_back({.rule = {.id = std::string(result->text(row, 0)),
                              .claim = std::string(result->text(row, 1)),
                              .match = *match,
                              .value = std::string(result->text(row, 3)),
                              .action = *action,
                              .target = std::string(result->text(row, 5)),
                              .priority = static_cast<int>(result->integer(row, 6))},
                     .created_at = instant_of(result->integer(row, 7)),
                     .updated_at = instant_of(result->integer(row, 8))});
  }
  co_return rules;
}
template async::Task<Expected<std::vector<StoredRule>>> ClaimMappingStore::list(postgres::Pool&);
template async::Task<Expected<std::vector<StoredRule>>> ClaimMappingStore::list(postgres::Transaction&);

async::Task<Expected<void>> ClaimMappingStore::insert(postgres::Transaction& transaction, StoredRule rule) {
  co_return done(co_await change(transaction,
                                 "insert into claim_mapping_rules (id, claim, match_type, match_value, action, target, "
                                 "priority, created_at, updated_at) values ($1::uuid, $2, $3, $4, $5, $6, $7::int, "
                                 "$8::timestamptz, $8::timestamptz)",
                                 parameters_of(rule, rule.created_at)));
}

async::Task<Expected<void>> ClaimMappingStore::update(postgres::Transaction& transaction, StoredRule rule) {
  co_return done(co_await change(transaction,
                                 "update claim_mapping_rules set claim = $2, match_type = $3, match_value = $4, action "
                                 "= $5, target = $6, priority = $7::int, updated_at = $8::timestamptz where id = "
                                 "$1::uuid",
                                 parameters_of(rule, rule.updated_at)));
}

async::Task<Expected<void>> ClaimMappingStore::remove(postgres::Transaction& transaction, std::string id) {
  postgres::Parameters parameters{id};
  co_return done(
      co_await change(transaction, "delete from claim_mapping_rules where id = $1::uuid", std::move(parameters)));
}

async::Task<Expected<void>> ClaimMappingStore::reorder(postgres::Transaction& transaction, std::vector<std::string> ids,
                                                       Instant now) {
  postgres::Parameters parameters{postgres::Parameter::text_array(ids), format_instant(now)};
  co_return done(co_await change(transaction,
                                 "update claim_mapping_rules r set priority = (o.place - 1) * 10, updated_at = "
                                 "$2::timestamptz from unnest($1::uuid[]) with ordinality as o(id, place) where r.id = "
                                 "o.id and r.priority <> (o.place - 1) * 10",
                                 std::move(parameters)));
}

async::Task<Expected<ClaimsUser>> ClaimMappingStore::find_user(postgres::Pool& pool, std::string id_or_name) {
  postgres::Parameters parameters{id_or_name};
  co_return user_in(co_await ask(pool,
                                 "select user_id, username, last_claims from users where user_id::text = lower($1) or "
                                 "lower(username) = lower($1) order by user_id::text = lower($1) desc limit 1",
                                 std::move(parameters)));
}

async::Task<Expected<ClaimsUser>> ClaimMappingStore::lock_user(postgres::Transaction& transaction, std::string id) {
  postgres::Parameters parameters{id};
  co_return user_in(co_await ask(transaction,
                                 "select user_id, username, last_claims from users where user_id = $1::uuid for update",
                                 std::move(parameters)));
}

async::Task<Expected<void>> ClaimMappingStore::put_claims(postgres::Transaction& transaction, std::string user_id,
                                                          std::string claims, Instant now) {
  postgres::Parameters parameters{user_id, claims, format_instant(now)};
  co_return done(co_await change(
      transaction, "update users set last_claims = $2, last_login_at = $3::timestamptz where user_id = $1::uuid",
      std::move(parameters)));
}

async::Task<Expected<void>> ClaimMappingStore::put_managed(postgres::Transaction& transaction, bool roles,
                                                           std::string user_id, rbac::Difference difference,
                                                           Instant now) {
  const std::string table = roles ? "user_roles" : "user_groups", column = roles ? "role_id" : "group_id";
  for (const auto& gone : difference.remove) {
    postgres::Parameters parameters{user_id, gone.target_id};
    auto removed = co_await change(
        transaction,
        fmt::format("delete from {} where user_id = $1::uuid and {} = $2::uuid and origin = 'managed'", table, column),
        std::move(parameters));
    if (!removed) co_return std::unexpected(removed.error());
  }
  for (const auto& added : difference.add) {
    postgres::Parameters parameters{
        user_id, added.target_id,
        added.mapping_id.empty() ? postgres::Parameter(std::nullopt) : postgres::Parameter(added.mapping_id),
        format_instant(now)};
    auto inserted = co_await change(transaction,
                                    fmt::format("insert into {} (user_id, {}, origin, mapping_id, created_at) values "
                                                "($1::uuid, $2::uuid, 'managed', $3::uuid, $4::timestamptz)",
                                                table, column),
                                    std::move(parameters));
    if (!inserted) co_return std::unexpected(inserted.error());
  }
  co_return Expected<void>{};
}

}  // namespace cameleer::server
