#include "server/environments/telemetry_removal.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace cameleer::server {
namespace {

using namespace std::chrono_literals;
using clickhouse::Parameter;

constexpr auto kTurn = 2s;
constexpr auto kClaim = 60s;  ///< whoever claimed it and died is replaced after so long
constexpr auto kRetry = 10s;
constexpr std::chrono::milliseconds kSoonest = 5s, kLatest = 24h;
constexpr std::chrono::days kWatched{90};

// Views only pass on what tables hold.
constexpr const char* kTables =
    "SELECT DISTINCT c.table AS name FROM system.columns AS c "
    "INNER JOIN system.tables AS t ON t.database = c.database AND t.name = c.table "
    "WHERE c.database = currentDatabase() AND c.name = 'environment' AND t.engine LIKE '%MergeTree' ORDER BY name";

async::Task<Expected<std::vector<std::string>>> tables_of(clickhouse::Client& engine) {
  std::vector<std::string> tables;
  std::function<bool(const clickhouse::Row&)> take = [&tables](const clickhouse::Row& row) {
    tables.emplace_back(row.text(row.column("name")));
    return true;
  };
  auto outcome = co_await engine.select(kTables, {}, std::move(take));
  if (!outcome) co_return std::unexpected(std::move(outcome.error().error));
  co_return tables;
}

async::Task<Expected<std::int64_t>> count_rows(clickhouse::Client& engine, clickhouse::Parameters which) {
  std::int64_t rows = 0;
  std::function<bool(const clickhouse::Row&)> take = [&rows](const clickhouse::Row& row) {
    rows = row.integer(row.column("n"));
    return true;
  };
  auto outcome = co_await engine.select(
      "SELECT count() AS n FROM {table:Identifier} WHERE tenant_id = {tenant:String} "
      "AND environment = {environment:String}",
      std::move(which), std::move(take));
  if (!outcome) co_return std::unexpected(std::move(outcome.error().error));
  co_return rows;
}

}  // namespace

TelemetryRemoval::TelemetryRemoval(postgres::Pool& pool, clickhouse::Client& engine, Clock clock, std::string tenant)
    : pool_(pool), engine_(engine), clock_(std::move(clock)), tenant_(std::move(tenant)) {}

async::Task<Expected<std::optional<TelemetryRemoval::Removed>>> TelemetryRemoval::claim() {
  const auto now = clock_();
  postgres::Parameters parameters{format_instant(now), format_instant(now + kClaim)};
  auto result = co_await pool_.query(
      "with claimed as (update removed_environments set next_sweep_at = $2::timestamptz where environment_id = "
      "(select environment_id from removed_environments where next_sweep_at <= $1::timestamptz "
      "order by next_sweep_at limit 1 for update skip locked) returning environment_id, data_name, removed_at) "
      "select w.n, c.environment_id, c.data_name, floor(extract(epoch from c.removed_at) * 1000)::bigint "
      "from (select count(*) as n from removed_environments where cleared_at is null) w left join claimed c on true",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  waiting_ = result->integer(0, 0);
  if (result->is_null(0, 1)) co_return std::optional<Removed>{};
  co_return std::optional(Removed{.id = std::string(result->text(0, 1)),
                                  .data_name = std::string(result->text(0, 2)),
                                  .removed_at = instant_of(result->integer(0, 3))});
}

async::Task<Expected<bool>> TelemetryRemoval::remove_rows(std::string data_name) {
  auto tables = co_await tables_of(engine_);
  if (!tables) co_return std::unexpected(tables.error());
  bool clear = true;
  for (const auto& table : *tables) {
    clickhouse::Parameters which{Parameter::text("table", table), Parameter::text("tenant", tenant_),
                                 Parameter::text("environment", data_name)};
    auto rows = co_await count_rows(engine_, which);
    if (!rows) co_return std::unexpected(rows.error());
    if (*rows == 0) continue;
    clear = false;
    // The next look finds out whether it is done.
    auto deleted = co_await engine_.execute(
        "DELETE FROM {table:Identifier} WHERE tenant_id = {tenant:String} AND environment = {environment:String} "
        "SETTINGS lightweight_deletes_sync = 0",
        std::move(which));
    if (!deleted) co_return std::unexpected(std::move(deleted.error().error));
  }
  co_return clear;
}

async::Task<Expected<void>> TelemetryRemoval::settle(Removed removed, std::optional<bool> clear) {
  const auto now = clock_();
  const auto age = now - removed.removed_at;
  std::optional<std::string> next;
  if (!clear)
    next = format_instant(now + kRetry);
  else if (!*clear || age < kWatched)
    next = format_instant(now + std::clamp(age, kSoonest, kLatest));
  postgres::Parameters parameters{removed.id, next, clear, format_instant(now)};
  auto result = co_await pool_.query(
      "update removed_environments set next_sweep_at = $2::timestamptz, cleared_at = case $3::boolean "
      "when true then coalesce(cleared_at, $4::timestamptz) when false then null else cleared_at end "
      "where environment_id = $1::uuid",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return Expected<void>{};
}

async::Task<Expected<bool>> TelemetryRemoval::sweep() {
  auto removed = co_await claim();
  if (!removed) co_return std::unexpected(removed.error());
  if (!*removed) co_return false;
  auto cleared = co_await remove_rows((*removed)->data_name);
  auto settled = co_await settle(std::move(**removed), cleared ? std::optional(*cleared) : std::nullopt);
  if (!cleared) co_return std::unexpected(cleared.error());
  if (!settled) co_return std::unexpected(settled.error());
  co_return true;
}

async::Task<> TelemetryRemoval::run() {
  auto executor = co_await async::asio::this_coro::executor;
  for (;;) {
    auto swept = co_await sweep();
    // A failure is a store that is gone: readiness tells, the next turn tries again.
    if (!swept || !*swept) co_await async::sleep_for(executor, kTurn);
    if ((co_await async::asio::this_coro::cancellation_state).cancelled() != async::asio::cancellation_type::none) {
      co_return;
    }
  }
}

}  // namespace cameleer::server
