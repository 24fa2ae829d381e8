#include "server/license/license_store.hpp"

#include <fmt/format.h>

#include "server/license/license_counts.hpp"

namespace cameleer::server {
namespace {

constexpr const char* kRead =
    "select s.version, floor(extract(epoch from s.highest_seen) * 1000)::bigint, s.standing, s.license_id, "
    "s.previous_license_id, l.token, l.license_id, r.token, coalesce(r.sequence, 0) from license_state s "
    "left join license l on l.tenant_id = $1 left join license_revocations r on true";

LicenseRows rows_in(const postgres::Result& result) {
  return {.version = result.integer(0, 0),
          .highest_seen = instant_of(result.integer(0, 1)),
          .standing = std::string(result.text(0, 2)),
          .license_id = result.optional_text(0, 3),
          .previous_license_id = result.optional_text(0, 4),
          .token = result.optional_text(0, 5),
          .stored_license_id = result.optional_text(0, 6),
          .revocations = result.optional_text(0, 7),
          .sequence = result.integer(0, 8)};
}

/// A statement of a pool or of a transaction, with its failure as callers get it.
template <class Connection>
async::Task<Expected<postgres::Result>> ask(Connection& connection, std::string sql, postgres::Parameters parameters) {
  auto result = co_await connection.query(std::move(sql), std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return std::move(*result);
}

async::Task<Expected<void>> change(postgres::Transaction& transaction, std::string sql,
                                   postgres::Parameters parameters) {
  auto result = co_await ask(transaction, std::move(sql), std::move(parameters));
  if (!result) co_return std::unexpected(result.error());
  auto told = co_await ask(transaction, "update license_state set version = version + 1", {});
  if (!told) co_return std::unexpected(told.error());
  co_return Expected<void>{};
}

}  // namespace

async::Task<Expected<std::unique_ptr<postgres::Transaction>>> LicenseStore::begin() {
  auto transaction = co_await pool_.begin();
  if (!transaction) co_return std::unexpected(transaction.error().for_caller());
  co_return std::move(*transaction);
}

async::Task<Expected<LicenseRows>> LicenseStore::read(std::string tenant_id) {
  postgres::Parameters parameters{tenant_id};
  auto result = co_await ask(pool_, kRead, std::move(parameters));
  if (!result) co_return std::unexpected(result.error());
  co_return rows_in(*result);
}

async::Task<Expected<LicenseRows>> LicenseStore::lock(postgres::Transaction& transaction, std::string tenant_id) {
  auto locked = co_await ask(transaction, "select version from license_state for update", {});
  if (!locked) co_return std::unexpected(locked.error());
  // A statement of its own: it sees what was committed while this one waited.
  postgres::Parameters parameters{tenant_id};
  auto result = co_await ask(transaction, kRead, std::move(parameters));
  if (!result) co_return std::unexpected(result.error());
  co_return rows_in(*result);
}

async::Task<Expected<LicenseStore::Seen>> LicenseStore::seen() {
  auto result = co_await ask(
      pool_, "select version, floor(extract(epoch from highest_seen) * 1000)::bigint from license_state", {});
  if (!result) co_return std::unexpected(result.error());
  co_return Seen{.version = result->integer(0, 0), .highest = instant_of(result->integer(0, 1))};
}

async::Task<Expected<void>> LicenseStore::put_highest(Instant now) {
  postgres::Parameters parameters{format_instant(now)};
  auto result = co_await ask(
      pool_, "update license_state set highest_seen = $1::timestamptz where highest_seen < $1::timestamptz",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error());
  co_return Expected<void>{};
}

async::Task<Expected<void>> LicenseStore::put_license(postgres::Transaction& transaction, LicenseInstallation license,
                                                      Instant now) {
  postgres::Parameters parameters{license.tenant_id, license.token, license.license_id, format_instant(now),
                                  license.installed_by};
  co_return co_await change(
      transaction,
      "insert into license (tenant_id, token, license_id, installed_at, installed_by) values ($1, $2, $3, "
      "$4::timestamptz, $5) on conflict (tenant_id) do update set token = excluded.token, license_id = "
      "excluded.license_id, installed_at = excluded.installed_at, installed_by = excluded.installed_by",
      std::move(parameters));
}

async::Task<Expected<void>> LicenseStore::remove_license(postgres::Transaction& transaction, std::string tenant_id) {
  postgres::Parameters parameters{tenant_id};
  co_return co_await change(transaction, "delete from license where tenant_id = $1", std::move(parameters));
}

async::Task<Expected<void>> LicenseStore::put_revocations(postgres::Transaction& transaction, std::string token,
                                                          std::int64_t sequence, std::string installed_by,
                                                          Instant now) {
  postgres::Parameters parameters{sequence, token, format_instant(now), installed_by};
  co_return co_await change(
      transaction,
      "insert into license_revocations (sequence, token, installed_at, installed_by) values ($1::bigint, $2, "
      "$3::timestamptz, $4) on conflict (one) do update set sequence = excluded.sequence, token = excluded.token, "
      "installed_at = excluded.installed_at, installed_by = excluded.installed_by",
      std::move(parameters));
}

async::Task<Expected<bool>> LicenseStore::put_standing(postgres::Transaction& transaction, std::string standing,
                                                       std::optional<std::string> license_id) {
  postgres::Parameters parameters{standing, license_id};
  auto result = co_await ask(
      transaction,
      "update license_state set standing = $1, license_id = coalesce($2::text, license_id), previous_license_id = "
      "case when license_id <> $2::text then license_id else previous_license_id end where standing <> $1",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error());
  co_return result->affected() > 0;
}

async::Task<Expected<LicenseCounts>> LicenseStore::counts() {
  std::string sql = "select ";
  for (const auto limit : license_limits()) {
    const auto statement = count_statement_of(limit);
    if (sql.size() > 7) sql += ", ";
    sql += statement.empty() ? "0::bigint" : fmt::format("({})", statement);
  }
  auto result = co_await ask(pool_, std::move(sql), {});
  if (!result) co_return std::unexpected(result.error());
  LicenseCounts counts{};
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = result->integer(0, i);
  co_return counts;
}

}  // namespace cameleer::server
