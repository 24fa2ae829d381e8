#include "server/environments/api_key_store.hpp"

namespace cameleer::server {
namespace {

constexpr const char* kStored =
    "select k.id, e.slug, k.status, floor(extract(epoch from k.grace_until) * 1000)::bigint, "
    "coalesce(e.data_name, e.slug) from api_keys k join environments e on e.id = k.environment_id ";

constexpr const char* kDescribed =
    "select k.id, k.label, k.key_prefix, k.status, floor(extract(epoch from k.created_at) * 1000)::bigint, "
    "floor(extract(epoch from k.grace_until) * 1000)::bigint, floor(extract(epoch from k.revoked_at) * 1000)::bigint, "
    "floor(extract(epoch from k.last_used_at) * 1000)::bigint "
    "from api_keys k join environments e on e.id = k.environment_id where e.slug = $1 ";

constexpr const char* kInsert =
    "insert into api_keys (id, environment_id, label, key_hash, key_prefix, created_at) "
    "select $1::uuid, id, $2, $3, $4, $5::timestamptz from environments where slug = $6";

postgres::Parameters parameters_of(const ApiKeyStore::NewKey& key, Instant now) {
  return {key.id, key.label, key.hash, key.prefix, format_instant(now), key.environment};
}

std::optional<Instant> instant_in(const postgres::Result& result, std::size_t row, std::size_t column) {
  if (result.is_null(row, column)) return std::nullopt;
  return instant_of(result.integer(row, column));
}

Expected<std::optional<StoredKey>> stored_in(const postgres::Outcome<postgres::Result>& result) {
  if (!result) return std::unexpected(result.error().for_caller());
  if (result->rows() == 0) return std::optional<StoredKey>{};
  return std::optional(StoredKey{.id = std::string(result->text(0, 0)),
                                 .environment = std::string(result->text(0, 1)),
                                 .data_name = std::string(result->text(0, 4)),
                                 .status = std::string(result->text(0, 2)),
                                 .grace_until = instant_in(*result, 0, 3)});
}

KeyDescription description_in(const postgres::Result& result, std::size_t row) {
  KeyDescription key{.id = std::string(result.text(row, 0)),
                     .label = std::string(result.text(row, 1)),
                     .prefix = std::string(result.text(row, 2)),
                     .status = std::string(result.text(row, 3)),
                     .created_at = instant_of(result.integer(row, 4)),
                     .revoked_at = instant_in(result, row, 6),
                     .last_used_at = instant_in(result, row, 7)};
  if (key.status == "ROTATED") key.expires_at = instant_in(result, row, 5);
  return key;
}

AuditEntry created(const ApiKeyStore::NewKey& key, AuditActor actor) {
  return {.actor = std::move(actor),
          .category = AuditCategory::environment,
          .action = "create_api_key",
          .target = key.id,
          .detail = {{"environment", key.environment}, {"label", key.label}, {"prefix", key.prefix}}};
}

AuditEntry rotated(const std::string& environment, const ApiKeyStore::Rotated& keys, AuditActor actor) {
  return {.actor = std::move(actor),
          .category = AuditCategory::environment,
          .action = "rotate_api_key",
          .target = keys.old.id,
          .detail = {{"environment", environment},
                     {"label", keys.old.label},
                     {"prefix", keys.old.prefix},
                     {"before", {{"status", "ACTIVE"}}},
                     {"after", {{"status", "ROTATED"}, {"expiresAt", format_instant(*keys.old.expires_at)}}},
                     {"successor", {{"id", keys.successor.id}, {"prefix", keys.successor.prefix}}}}};
}

// One who looked for an environment that is removed meanwhile meets the foreign key.
bool is_gone(const postgres::DatabaseError& error) {
  return error.sqlstate == "23503";
}

std::unexpected<Error> no_such_key() {
  return fail(ErrorCode::api_key_not_found, "The environment has no API key of this id.", "keyId");
}

}  // namespace

bool StoredKey::counts(Instant now) const {
  return status == "ACTIVE" || (status == "ROTATED" && grace_until && now < *grace_until);
}

async::Task<Expected<bool>> ApiKeyStore::insert(postgres::Transaction& transaction, NewKey key, Instant now,
                                                AuditActor actor) {
  auto result = co_await transaction.query(kInsert, parameters_of(key, now));
  if (!result && is_gone(result.error())) co_return false;
  if (!result) co_return std::unexpected(result.error().for_caller());
  if (result->affected() == 0) co_return false;
  auto noted = co_await audit_.append(transaction, created(key, std::move(actor)));
  if (!noted) co_return std::unexpected(noted.error().for_caller());
  co_return true;
}

async::Task<Expected<bool>> ApiKeyStore::insert(NewKey key, Instant now, AuditActor actor) {
  auto transaction = co_await pool_.begin();
  if (!transaction) co_return std::unexpected(transaction.error().for_caller());
  auto inserted = co_await insert(**transaction, std::move(key), now, std::move(actor));
  if (!inserted || !*inserted) co_return inserted;
  auto committed = co_await (*transaction)->commit();
  if (!committed) co_return std::unexpected(committed.error().for_caller());
  co_return true;
}

async::Task<Expected<bool>> ApiKeyStore::insert_first(NewKey key, Instant now, std::function<Expected<void>()> keep) {
  auto transaction = co_await pool_.begin();
  if (!transaction) co_return std::unexpected(transaction.error().for_caller());
  // Two processes at their first start make one key.
  auto locked = co_await (*transaction)->query("lock table api_keys in share row exclusive mode");
  if (!locked) co_return std::unexpected(locked.error().for_caller());
  auto present = co_await (*transaction)->query("select exists (select from api_keys)");
  if (!present) co_return std::unexpected(present.error().for_caller());
  if (present->boolean(0, 0)) co_return false;
  auto inserted = co_await insert(**transaction, std::move(key), now, system_actor());
  if (!inserted || !*inserted) co_return inserted;
  if (auto kept = keep(); !kept) co_return std::unexpected(kept.error());
  auto committed = co_await (*transaction)->commit();
  if (!committed) co_return std::unexpected(committed.error().for_caller());
  co_return true;
}

async::Task<Expected<std::optional<StoredKey>>> ApiKeyStore::find_by_hash(std::string hash) {
  postgres::Parameters parameters{hash};
  co_return stored_in(co_await pool_.query(std::string(kStored) + "where k.key_hash = $1", std::move(parameters)));
}

async::Task<Expected<std::optional<StoredKey>>> ApiKeyStore::find_by_id(std::string id) {
  postgres::Parameters parameters{id};
  co_return stored_in(co_await pool_.query(std::string(kStored) + "where k.id = $1::uuid", std::move(parameters)));
}

async::Task<Expected<std::vector<std::string>>> ApiKeyStore::counted(std::vector<std::string> ids, Instant now) {
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

async::Task<Expected<std::vector<KeyDescription>>> ApiKeyStore::list(std::string environment, std::size_t most) {
  postgres::Parameters parameters{environment, static_cast<std::int64_t>(most)};
  auto result = co_await pool_.query(std::string(kDescribed) + "order by k.created_at desc, k.id limit $2::bigint",
                                     std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  std::vector<KeyDescription> keys;
  for (std::size_t row = 0; row < result->rows(); ++row) keys.push_back(description_in(*result, row));
  co_return keys;
}

async::Task<Expected<ApiKeyStore::Rotated>> ApiKeyStore::rotate(std::string id, NewKey successor, Instant now,
                                                                Instant grace_until, AuditActor actor) {
  auto transaction = co_await pool_.begin();
  if (!transaction) co_return std::unexpected(transaction.error().for_caller());
  postgres::Parameters which{successor.environment, id};
  auto key =
      co_await (*transaction)->query(std::string(kDescribed) + "and k.id = $2::uuid for update of k", std::move(which));
  if (!key) co_return std::unexpected(key.error().for_caller());
  if (key->rows() == 0) co_return no_such_key();
  Rotated keys{.old = description_in(*key, 0), .successor = {}};
  if (keys.old.status != "ACTIVE") {
    co_return fail(ErrorCode::conflict, "The API key is " + keys.old.status + ": only an ACTIVE one is rotated.",
                   "keyId");
  }
  keys.old.status = "ROTATED";
  keys.old.expires_at = grace_until;
  successor.label = keys.old.label;
  keys.successor = {
      .id = successor.id, .label = successor.label, .prefix = successor.prefix, .status = "ACTIVE", .created_at = now};
  postgres::Parameters change{id, format_instant(now), format_instant(grace_until)};
  auto changed = co_await (*transaction)
                     ->query(
                         "update api_keys set status = 'ROTATED', rotated_at = $2::timestamptz, "
                         "grace_until = $3::timestamptz where id = $1::uuid",
                         std::move(change));
  if (!changed) co_return std::unexpected(changed.error().for_caller());
  auto inserted = co_await (*transaction)->query(kInsert, parameters_of(successor, now));
  if (!inserted && is_gone(inserted.error())) co_return no_such_key();
  if (!inserted) co_return std::unexpected(inserted.error().for_caller());
  auto noted = co_await audit_.append(**transaction, rotated(successor.environment, keys, std::move(actor)));
  if (!noted) co_return std::unexpected(noted.error().for_caller());
  auto committed = co_await (*transaction)->commit();
  if (!committed) co_return std::unexpected(committed.error().for_caller());
  co_return keys;
}

async::Task<Expected<bool>> ApiKeyStore::revoke(std::string environment, std::string id, Instant now,
                                                AuditActor actor) {
  auto transaction = co_await pool_.begin();
  if (!transaction) co_return std::unexpected(transaction.error().for_caller());
  postgres::Parameters which{environment, id};
  auto key =
      co_await (*transaction)->query(std::string(kDescribed) + "and k.id = $2::uuid for update of k", std::move(which));
  if (!key) co_return std::unexpected(key.error().for_caller());
  if (key->rows() == 0) co_return false;
  const auto before = description_in(*key, 0);
  if (before.status == "REVOKED") co_return true;
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
                              {"label", before.label},
                              {"prefix", before.prefix},
                              {"before", {{"status", before.status}}},
                              {"after", {{"status", "REVOKED"}}}}};
  auto noted = co_await audit_.append(**transaction, std::move(entry));
  if (!noted) co_return std::unexpected(noted.error().for_caller());
  auto committed = co_await (*transaction)->commit();
  if (!committed) co_return std::unexpected(committed.error().for_caller());
  co_return true;
}

async::Task<Expected<void>> ApiKeyStore::note_uses(Uses uses) {
  std::vector<std::string> ids, times;
  for (const auto& [id, time] : uses) {
    ids.push_back(id);
    times.push_back(format_instant(time));
  }
  postgres::Parameters parameters{postgres::Parameter::text_array(ids), postgres::Parameter::text_array(times)};
  auto result = co_await pool_.query(
      "with used as (select * from unnest($1::text[]::uuid[], $2::text[]::timestamptz[]) as u (id, at)), "
      "due as (select k.id, u.at from api_keys k join used u using (id) "
      "where k.last_used_at is null or k.last_used_at <= u.at - interval '1 minute' "
      "order by k.id for no key update of k skip locked) "
      "update api_keys k set last_used_at = due.at from due where k.id = due.id",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return Expected<void>{};
}

}  // namespace cameleer::server
