#include "server/oidc/provider_session_store.hpp"

#include "server/users/access_change.hpp"

namespace cameleer::server {
namespace {

postgres::Parameter time_of(const std::optional<Instant>& instant) {
  return instant ? postgres::Parameter(format_instant(*instant)) : postgres::Parameter(std::nullopt);
}

Expected<void> done(const Expected<postgres::Result>& result) {
  if (!result) return std::unexpected(result.error());
  return {};
}

}  // namespace

async::Task<Expected<void>> ProviderSessionStore::insert(std::string session_hash, std::string sealed,
                                                         RefreshTimes times) {
  postgres::Parameters parameters{session_hash, sealed, time_of(times.refresh_after), time_of(times.expires_at)};
  co_return done(co_await ask(pool_,
                              "insert into oidc_sessions (session_hash, sealed, refresh_after, expires_at) values ($1, "
                              "$2, $3::timestamptz, $4::timestamptz)",
                              std::move(parameters)));
}

async::Task<Expected<std::optional<RefreshTimes>>> ProviderSessionStore::find(std::string session_hash) {
  postgres::Parameters parameters{session_hash};
  auto result = co_await ask(pool_,
                             "select floor(extract(epoch from refresh_after) * 1000)::bigint, floor(extract(epoch from "
                             "expires_at) * 1000)::bigint from oidc_sessions where session_hash = $1",
                             std::move(parameters));
  if (!result) co_return std::unexpected(result.error());
  if (result->rows() == 0) co_return std::optional<RefreshTimes>{};
  RefreshTimes times;
  if (!result->is_null(0, 0)) {
    times.refresh_after = instant_of(result->integer(0, 0));
    times.expires_at = instant_of(result->integer(0, 1));
  }
  co_return std::optional(times);
}

async::Task<Expected<std::optional<std::string>>> ProviderSessionStore::find_sealed(std::string session_hash) {
  postgres::Parameters parameters{session_hash};
  auto result = co_await ask(pool_, "select sealed from oidc_sessions where session_hash = $1", std::move(parameters));
  if (!result) co_return std::unexpected(result.error());
  co_return result->rows() == 0 ? std::nullopt : result->optional_text(0, 0);
}

async::Task<Expected<std::optional<ClaimedSession>>> ProviderSessionStore::claim(std::string session_hash, Instant now,
                                                                                 Instant until) {
  postgres::Parameters parameters{session_hash, format_instant(now), format_instant(until)};
  auto result = co_await ask(pool_,
                             "with claimed as (update oidc_sessions set refreshing_until = $3::timestamptz where "
                             "session_hash = $1 and refresh_after <= $2::timestamptz and (refreshing_until is null or "
                             "refreshing_until <= $2::timestamptz) returning session_hash, sealed) "
                             "select sealed, user_id, username, coalesce(subject, '') from claimed join sessions using "
                             "(session_hash) join users using (user_id)",
                             std::move(parameters));
  if (!result) co_return std::unexpected(result.error());
  if (result->rows() == 0) co_return std::optional<ClaimedSession>{};
  co_return std::optional(ClaimedSession{.sealed = std::string(result->text(0, 0)),
                                         .user_id = std::string(result->text(0, 1)),
                                         .username = std::string(result->text(0, 2)),
                                         .subject = std::string(result->text(0, 3))});
}

async::Task<Expected<void>> ProviderSessionStore::put_tokens(std::string session_hash, std::string sealed,
                                                             RefreshTimes times) {
  postgres::Parameters parameters{session_hash, sealed, time_of(times.refresh_after), time_of(times.expires_at)};
  co_return done(co_await ask(pool_,
                              "update oidc_sessions set sealed = $2, refresh_after = $3::timestamptz, expires_at = "
                              "$4::timestamptz, refreshing_until = null where session_hash = $1",
                              std::move(parameters)));
}

async::Task<Expected<void>> ProviderSessionStore::postpone(std::string session_hash, Instant refresh_after) {
  postgres::Parameters parameters{session_hash, format_instant(refresh_after)};
  co_return done(co_await ask(pool_,
                              "update oidc_sessions set refresh_after = $2::timestamptz, refreshing_until = null where "
                              "session_hash = $1",
                              std::move(parameters)));
}

async::Task<Expected<void>> ProviderSessionStore::end(std::string session_hash, AuditEntry entry) {
  postgres::Parameters parameters{session_hash};
  co_return done(
      co_await audit_.change("delete from sessions where session_hash = $1", std::move(parameters), std::move(entry)));
}

async::Task<Expected<std::int64_t>> ProviderSessionStore::end_local(Instant now) {
  AuditEntry entry{.actor = system_actor(), .category = AuditCategory::auth, .action = "end_local_access"};
  postgres::Parameters parameters{format_instant(now)};
  auto ended = co_await audit_.change(
      "with local_tokens as (update refresh_tokens set revoked_at = $1::timestamptz where user_id is not null and "
      "revoked_at is null and expires_at > $1::timestamptz returning token_id), local_sessions as (delete from "
      "sessions where not exists (select from oidc_sessions o where o.session_hash = sessions.session_hash) returning "
      "session_hash) select 1 from local_tokens union all select 1 from local_sessions",
      std::move(parameters), std::move(entry));
  if (!ended) co_return std::unexpected(ended.error());
  co_return static_cast<std::int64_t>(ended->rows());
}

}  // namespace cameleer::server
