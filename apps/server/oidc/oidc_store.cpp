#include "server/oidc/oidc_store.hpp"

namespace cameleer::server {
namespace {

async::Task<Expected<postgres::Result>> ask(postgres::Pool& pool, std::string sql, postgres::Parameters parameters) {
  auto result = co_await pool.query(std::move(sql), std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return std::move(*result);
}

std::optional<std::string> only_text(const postgres::Result& result) {
  return result.rows() == 0 ? std::nullopt : result.optional_text(0, 0);
}

constexpr const char* kFindUser = "select user_id, username, enabled from users where issuer = $1 and subject = $2";

std::optional<ProviderUser> user_in(const postgres::Result& result) {
  if (result.rows() == 0) return std::nullopt;
  return ProviderUser{.id = std::string(result.text(0, 0)),
                      .username = std::string(result.text(0, 1)),
                      .enabled = result.boolean(0, 2)};
}

/// Whoever came twice at once is there the second time, whatever the cap says.
async::Task<Expected<std::optional<ProviderUser>>> take_turn(postgres::Transaction& transaction, LicenseEnforcer& caps,
                                                             const NewProviderUser& user) {
  auto turn = co_await caps.take_turn(transaction, LicenseLimit::max_users);
  if (!turn) co_return std::unexpected(turn.error());
  postgres::Parameters who{user.issuer, user.subject};
  auto there = co_await transaction.query(kFindUser, std::move(who));
  if (!there) co_return std::unexpected(there.error().for_caller());
  co_return user_in(*there);
}

}  // namespace

async::Task<Expected<std::optional<std::string>>> OidcStore::read_configuration() {
  postgres::Parameters none;
  auto result = co_await ask(pool_, "select value from server_config where key = 'oidc'", std::move(none));
  if (!result) co_return std::unexpected(result.error());
  co_return only_text(*result);
}

async::Task<Expected<void>> OidcStore::write_configuration(std::optional<std::string> json, AuditEntry entry) {
  std::string sql = "delete from server_config where key = 'oidc'";
  postgres::Parameters parameters;
  if (json) {
    sql =
        "insert into server_config (key, value) values ('oidc', $1::jsonb) "
        "on conflict (key) do update set value = excluded.value";
    parameters.emplace_back(*json);
  }
  auto written = co_await audit_.change(std::move(sql), std::move(parameters), std::move(entry));
  if (!written) co_return std::unexpected(written.error());
  co_return Expected<void>{};
}

async::Task<Expected<bool>> OidcStore::insert_attempt(std::string state_hash, std::string sealed, Instant now,
                                                      Instant expires_at, std::size_t most) {
  postgres::Parameters old{format_instant(now)};
  auto removed = co_await ask(pool_, "delete from oidc_attempts where expires_at <= $1::timestamptz", std::move(old));
  if (!removed) co_return std::unexpected(removed.error());
  postgres::Parameters parameters{state_hash, sealed, format_instant(expires_at), static_cast<std::int64_t>(most)};
  auto inserted = co_await ask(pool_,
                               "insert into oidc_attempts (state_hash, sealed, expires_at) "
                               "select $1, $2, $3::timestamptz where (select count(*) from oidc_attempts) < $4::bigint",
                               std::move(parameters));
  if (!inserted) co_return std::unexpected(inserted.error());
  co_return inserted->affected() > 0;
}

async::Task<Expected<std::optional<std::string>>> OidcStore::take_attempt(std::string state_hash, Instant now) {
  postgres::Parameters parameters{state_hash, format_instant(now)};
  auto result = co_await ask(
      pool_, "delete from oidc_attempts where state_hash = $1 and expires_at > $2::timestamptz returning sealed",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error());
  co_return only_text(*result);
}

async::Task<Expected<std::optional<ProviderUser>>> OidcStore::find_user(std::string issuer, std::string subject) {
  postgres::Parameters parameters{issuer, subject};
  auto result = co_await ask(pool_, kFindUser, std::move(parameters));
  if (!result) co_return std::unexpected(result.error());
  co_return user_in(*result);
}

async::Task<Expected<ProviderUser>> OidcStore::insert_user(NewProviderUser user, AuditActor actor, Instant now) {
  auto transaction = co_await pool_.begin();
  if (!transaction) co_return std::unexpected(transaction.error().for_caller());
  if (caps_ != nullptr) {
    auto present = co_await take_turn(**transaction, *caps_, user);
    if (!present) co_return std::unexpected(present.error());
    if (*present) co_return std::move(**present);
    auto newcomer = actor;
    newcomer.username = user.usernames.front();
    auto allowed = co_await caps_->check(**transaction, LicenseLimit::max_users, std::move(newcomer));
    if (!allowed) co_return std::unexpected(allowed.error());
  }
  for (const auto& username : user.usernames) {
    postgres::Parameters parameters{user.id,     username,     user.display_name,  user.email,
                                    user.issuer, user.subject, format_instant(now)};
    auto inserted = co_await (*transaction)
                        ->query(
                            "insert into users (user_id, username, display_name, email, source, issuer, subject, "
                            "created_at) values ($1::uuid, $2, $3, $4, 'oidc', $5, $6, $7::timestamptz) "
                            "on conflict do nothing",
                            std::move(parameters));
    if (!inserted) co_return std::unexpected(inserted.error().for_caller());
    if (inserted->affected() > 0) {
      AuditEntry entry{.actor = std::move(actor),
                       .category = AuditCategory::user_mgmt,
                       .action = "create_user",
                       .target = username,
                       .detail = {{"userId", user.id}, {"issuer", user.issuer}, {"subject", user.subject}}};
      entry.actor.username = username;
      entry.actor.user_id = user.id;
      auto recorded = co_await audit_.append(**transaction, std::move(entry));
      if (!recorded) co_return std::unexpected(recorded.error().for_caller());
      auto committed = co_await (*transaction)->commit();
      if (!committed) co_return std::unexpected(committed.error().for_caller());
      co_return ProviderUser{.id = user.id, .username = username};
    }
    postgres::Parameters who{user.issuer, user.subject};
    auto there = co_await (*transaction)->query(kFindUser, std::move(who));
    if (!there) co_return std::unexpected(there.error().for_caller());
    if (auto present = user_in(*there)) co_return std::move(*present);
  }
  co_return fail(ErrorCode::conflict, "There is another user of this name.");
}

async::Task<Expected<void>> OidcStore::note_login(std::string user_id, Instant now) {
  postgres::Parameters parameters{user_id, format_instant(now)};
  auto result = co_await ask(pool_, "update users set last_login_at = $2::timestamptz where user_id = $1::uuid",
                             std::move(parameters));
  if (!result) co_return std::unexpected(result.error());
  co_return Expected<void>{};
}

}  // namespace cameleer::server
