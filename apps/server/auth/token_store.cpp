#include "server/auth/token_store.hpp"

namespace cameleer::server {
namespace {

constexpr const char* kColumns =
    "token_id, family_id, user_id, environment, agent_id, application, key_ref, "
    "floor(extract(epoch from issued_at) * 1000)::bigint, floor(extract(epoch from expires_at) * 1000)::bigint, "
    "floor(extract(epoch from spent_at) * 1000)::bigint, floor(extract(epoch from revoked_at) * 1000)::bigint, "
    "successor_id";

std::optional<Instant> instant_in(const postgres::Result& result, std::size_t column) {
  if (result.is_null(0, column)) return std::nullopt;
  return instant_of(result.integer(0, column));
}

std::optional<StoredRefresh> token_in(const postgres::Result& result) {
  if (result.rows() == 0) return std::nullopt;
  StoredRefresh token;
  token.token_id = result.text(0, 0);
  token.family = result.text(0, 1);
  token.subject.kind = result.is_null(0, 2) ? TokenSubject::Kind::agent : TokenSubject::Kind::user;
  token.subject.id = result.text(0, result.is_null(0, 2) ? 4 : 2);
  token.subject.environment = result.text(0, 3);
  token.subject.application = result.text(0, 5);
  token.subject.key_ref = result.text(0, 6);
  token.issued_at = instant_of(result.integer(0, 7));
  token.expires_at = instant_of(result.integer(0, 8));
  token.spent_at = instant_in(result, 9);
  token.revoked_at = instant_in(result, 10);
  token.successor = result.optional_text(0, 11);
  return token;
}

}  // namespace

async::Task<Expected<void>> TokenStore::insert(StoredRefresh token) {
  const bool agent = token.subject.kind == TokenSubject::Kind::agent;
  const auto agents_only = [&](const std::string& value) {
    return agent ? postgres::Parameter(value) : postgres::Parameter(std::nullopt);
  };
  postgres::Parameters parameters{token.token_id,
                                  token.family,
                                  agent ? postgres::Parameter(std::nullopt) : postgres::Parameter(token.subject.id),
                                  agents_only(token.subject.environment),
                                  agents_only(token.subject.id),
                                  agents_only(token.subject.application),
                                  agents_only(token.subject.key_ref),
                                  format_instant(token.issued_at),
                                  format_instant(token.expires_at)};
  auto result = co_await pool_.query(
      "insert into refresh_tokens (token_id, family_id, user_id, environment, agent_id, application, key_ref, "
      "issued_at, "
      "expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return Expected<void>{};
}

async::Task<Expected<std::optional<StoredRefresh>>> TokenStore::spend(std::string token_id, std::string successor,
                                                                      Instant now, Instant successor_expires_at) {
  postgres::Parameters parameters{token_id, successor, format_instant(now), format_instant(successor_expires_at)};
  auto result = co_await pool_.query(
      std::string(
          "with spent as (update refresh_tokens set spent_at = $3::timestamptz, successor_id = $2::uuid "
          "where token_id = $1::uuid and spent_at is null and revoked_at is null and expires_at > $3::timestamptz "
          "returning *) "
          "insert into refresh_tokens (token_id, family_id, user_id, environment, agent_id, application, key_ref, "
          "issued_at, expires_at) select $2::uuid, family_id, user_id, environment, agent_id, application, "
          "key_ref, $3::timestamptz, $4::timestamptz from spent returning ") +
          kColumns,
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return token_in(*result);
}

async::Task<Expected<std::optional<StoredRefresh>>> TokenStore::find(std::string token_id) {
  postgres::Parameters parameters{token_id};
  auto result = co_await pool_.query(
      std::string("select ") + kColumns + " from refresh_tokens where token_id = $1::uuid", std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return token_in(*result);
}

async::Task<Expected<void>> TokenStore::revoke_family(std::string family, Instant now) {
  postgres::Parameters parameters{family, format_instant(now)};
  auto result = co_await pool_.query(
      "update refresh_tokens set revoked_at = $2::timestamptz where family_id = $1::uuid and revoked_at is null",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return Expected<void>{};
}

async::Task<Expected<void>> TokenStore::delete_expired(Instant now) {
  postgres::Parameters parameters{format_instant(now)};
  auto result =
      co_await pool_.query("delete from refresh_tokens where expires_at <= $1::timestamptz", std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return Expected<void>{};
}

}  // namespace cameleer::server
