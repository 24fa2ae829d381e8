#include "server/environments/environment_store.hpp"

namespace cameleer::server {
namespace {

Environment environment_in(const postgres::Result& result, std::size_t row) {
  return {.id = std::string(result.text(row, 0)),
          .slug = std::string(result.text(row, 1)),
          .display_name = std::string(result.text(row, 2))};
}

constexpr const char* kKeyColumns =
    "select k.id, e.slug, k.status, floor(extract(epoch from k.grace_until) * 1000)::bigint "
    "from api_keys k join environments e on e.id = k.environment_id ";

std::optional<StoredKey> key_in(const postgres::Result& result) {
  if (result.rows() == 0) return std::nullopt;
  StoredKey key{.id = std::string(result.text(0, 0)),
                .environment = std::string(result.text(0, 1)),
                .status = std::string(result.text(0, 2)),
                .grace_until = std::nullopt};
  if (!result.is_null(0, 3)) key.grace_until = instant_of(result.integer(0, 3));
  return key;
}

AuditEntry created(const EnvironmentStore::NewKey& key, AuditActor actor) {
  return {.actor = std::move(actor),
          .category = AuditCategory::environment,
          .action = "create_api_key",
          .target = key.id,
          .detail = {{"environment", key.environment}, {"label", key.label}, {"prefix", key.prefix}}};
}

}  // namespace

bool StoredKey::counts(Instant now) const {
  return status == "ACTIVE" || (status == "ROTATED" && grace_until && now < *grace_until);
}

async::Task<Expected<void>> EnvironmentStore::insert_environment_if_absent(Environment environment, Instant now) {
  postgres::Parameters parameters{environment.id, environment.slug, environment.display_name, format_instant(now)};
  auto result = co_await pool_.query(
      "insert into environments (id, slug, display_name, created_at) values ($1, $2, $3, $4) on conflict (slug) do "
      "nothing",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return Expected<void>{};
}

async::Task<Expected<std::vector<Environment>>> EnvironmentStore::list() {
  auto result = co_await pool_.query("select id, slug, display_name from environments order by slug");
  if (!result) co_return std::unexpected(result.error().for_caller());
  std::vector<Environment> environments;
  for (std::size_t row = 0; row < result->rows(); ++row) environments.push_back(environment_in(*result, row));
  co_return environments;
}

async::Task<Expected<std::optional<Environment>>> EnvironmentStore::find(std::string slug) {
  postgres::Parameters parameters{slug};
  auto result =
      co_await pool_.query("select id, slug, display_name from environments where slug = $1", std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  if (result->rows() == 0) co_return std::optional<Environment>{};
  co_return std::optional(environment_in(*result, 0));
}

async::Task<Expected<bool>> EnvironmentStore::insert_key(NewKey key, Instant now, AuditActor actor) {
  postgres::Parameters parameters{key.id, key.label, key.hash, key.prefix, format_instant(now), key.environment};
  auto result = co_await audit_.change(
      "insert into api_keys (id, environment_id, label, key_hash, key_prefix, created_at) "
      "select $1::uuid, id, $2, $3, $4, $5::timestamptz from environments where slug = $6",
      std::move(parameters), created(key, std::move(actor)));
  if (!result) co_return std::unexpected(result.error());
  co_return result->affected() > 0;
}

async::Task<Expected<bool>> EnvironmentStore::any_key() {
  auto result = co_await pool_.query("select exists (select from api_keys)");
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return result->boolean(0, 0);
}

async::Task<Expected<bool>> EnvironmentStore::insert_first_key(NewKey key, Instant now) {
  auto transaction = co_await pool_.begin();
  if (!transaction) co_return std::unexpected(transaction.error().for_caller());
  // Two processes at their first start make one key.
  auto locked = co_await (*transaction)->query("lock table api_keys in share row exclusive mode");
  if (!locked) co_return std::unexpected(locked.error().for_caller());
  postgres::Parameters parameters{key.id, key.label, key.hash, key.prefix, format_instant(now), key.environment};
  auto result = co_await (*transaction)
                    ->query(
                        "insert into api_keys (id, environment_id, label, key_hash, key_prefix, created_at) "
                        "select $1::uuid, id, $2, $3, $4, $5::timestamptz from environments "
                        "where slug = $6 and not exists (select from api_keys)",
                        std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  const bool inserted = result->affected() > 0;
  if (inserted) {
    auto noted = co_await audit_.append(**transaction, created(key, system_actor()));
    if (!noted) co_return std::unexpected(noted.error().for_caller());
  }
  auto committed = co_await (*transaction)->commit();
  if (!committed) co_return std::unexpected(committed.error().for_caller());
  co_return inserted;
}

async::Task<Expected<std::optional<StoredKey>>> EnvironmentStore::find_key_by_hash(std::string hash) {
  postgres::Parameters parameters{hash};
  auto result = co_await pool_.query(std::string(kKeyColumns) + "where k.key_hash = $1", std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return key_in(*result);
}

async::Task<Expected<std::optional<StoredKey>>> EnvironmentStore::find_key_by_id(std::string id) {
  postgres::Parameters parameters{id};
  auto result = co_await pool_.query(std::string(kKeyColumns) + "where k.id = $1::uuid", std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return key_in(*result);
}

async::Task<Expected<std::vector<std::string>>> EnvironmentStore::counted_keys(std::vector<std::string> ids,
                                                                               Instant now) {
  postgres::Parameters parameters{postgres::Parameter::text_array(ids), format_instant(now)};
  auto result = co_await pool_.query(
      "select id from api_keys where id = any ($1::text[]::uuid[]) "
      "and (status = 'ACTIVE' or (status = 'ROTATED' and grace_until > $2::timestamptz))",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  std::vector<std::string> counted;
  for (std::size_t row = 0; row < result->rows(); ++row) counted.emplace_back(result->text(row, 0));
  co_return counted;
}

async::Task<Expected<std::vector<KeyDescription>>> EnvironmentStore::list_keys(std::string environment,
                                                                               std::size_t most) {
  postgres::Parameters parameters{environment, static_cast<std::int64_t>(most)};
  auto result = co_await pool_.query(
      "select k.id, k.label, k.key_prefix, k.status, floor(extract(epoch from k.created_at) * 1000)::bigint, "
      "floor(extract(epoch from k.revoked_at) * 1000)::bigint "
      "from api_keys k join environments e on e.id = k.environment_id where e.slug = $1 "
      "order by k.created_at desc, k.id limit $2::bigint",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  std::vector<KeyDescription> keys;
  for (std::size_t row = 0; row < result->rows(); ++row) {
    KeyDescription key{.id = std::string(result->text(row, 0)),
                       .label = std::string(result->text(row, 1)),
                       .prefix = std::string(result->text(row, 2)),
                       .status = std::string(result->text(row, 3)),
                       .created_at = instant_of(result->integer(row, 4)),
                       .revoked_at = std::nullopt};
    if (!result->is_null(row, 5)) key.revoked_at = instant_of(result->integer(row, 5));
    keys.push_back(std::move(key));
  }
  co_return keys;
}

async::Task<Expected<bool>> EnvironmentStore::revoke_key(std::string environment, std::string id, Instant now,
                                                         AuditActor actor) {
  auto transaction = co_await pool_.begin();
  if (!transaction) co_return std::unexpected(transaction.error().for_caller());
  postgres::Parameters which{environment, id};
  auto key = co_await (*transaction)
                 ->query(
                     "select k.label, k.key_prefix, k.status from api_keys k join environments e on e.id = "
                     "k.environment_id where e.slug = $1 and k.id = $2::uuid for update of k",
                     std::move(which));
  if (!key) co_return std::unexpected(key.error().for_caller());
  if (key->rows() == 0) co_return false;
  if (key->text(0, 2) == "REVOKED") co_return true;
  postgres::Parameters parameters{id, format_instant(now)};
  auto revoked = co_await (*transaction)
                     ->query("update api_keys set status = 'REVOKED', revoked_at = $2::timestamptz where id = $1::uuid",
                             std::move(parameters));
  if (!revoked) co_return std::unexpected(revoked.error().for_caller());
  AuditEntry entry{.actor = std::move(actor),
                   .category = AuditCategory::environment,
                   .action = "revoke_api_key",
                   .target = id,
                   .detail = {{"environment", environment},
                              {"label", key->text(0, 0)},
                              {"prefix", key->text(0, 1)},
                              {"statusBefore", key->text(0, 2)}}};
  auto noted = co_await audit_.append(**transaction, std::move(entry));
  if (!noted) co_return std::unexpected(noted.error().for_caller());
  auto committed = co_await (*transaction)->commit();
  if (!committed) co_return std::unexpected(committed.error().for_caller());
  co_return true;
}

}  // namespace cameleer::server
