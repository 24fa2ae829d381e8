#include "server/environments/environment_store.hpp"

namespace cameleer::server {
namespace {

constexpr const char* kSelect =
    "select id, slug, display_name, coalesce(data_name, slug), execution_retention_days, log_retention_days, "
    "metric_retention_days, jar_retention_count, floor(extract(epoch from created_at) * 1000)::bigint "
    "from environments ";

std::optional<std::int64_t> number_in(const postgres::Result& result, std::size_t row, std::size_t column) {
  if (result.is_null(row, column)) return std::nullopt;
  return result.integer(row, column);
}

Environment environment_in(const postgres::Result& result, std::size_t row) {
  return {.id = std::string(result.text(row, 0)),
          .slug = std::string(result.text(row, 1)),
          .display_name = std::string(result.text(row, 2)),
          .data_name = std::string(result.text(row, 3)),
          .execution_retention_days = number_in(result, row, 4),
          .log_retention_days = number_in(result, row, 5),
          .metric_retention_days = number_in(result, row, 6),
          .jar_retention_count = number_in(result, row, 7),
          .created_at = instant_of(result.integer(row, 8))};
}

Expected<std::optional<Environment>> only_one(const postgres::Outcome<postgres::Result>& result) {
  if (!result) return std::unexpected(result.error().for_caller());
  if (result->rows() == 0) return std::optional<Environment>{};
  return std::optional(environment_in(*result, 0));
}

struct Cascade {
  const char* sql;
  std::int64_t RemovedRows::* counted;
};

// Agents first and in the order in which heartbeats lock them. What is not listed goes with the environment's row.
constexpr Cascade kCascade[] = {
    {"with locked as (select agent_id from agents where environment = $1 order by agent_id for update) "
     "delete from agents where environment = $1 and agent_id in (select agent_id from locked)",
     &RemovedRows::agents},
    {"delete from agent_commands where environment = $1", &RemovedRows::commands},
    {"delete from application_configs where environment = $1", &RemovedRows::configurations},
    {"delete from api_keys where environment_id = (select id from environments where slug = $1)",
     &RemovedRows::api_keys},
    {"delete from refresh_tokens where environment = $1", &RemovedRows::agent_tokens},
    {"delete from agent_events where environment = $1", &RemovedRows::agent_events},
};

}  // namespace

async::Task<Expected<std::vector<Environment>>> EnvironmentStore::list() {
  auto result = co_await pool_.query(std::string(kSelect) + "order by slug");
  if (!result) co_return std::unexpected(result.error().for_caller());
  std::vector<Environment> environments;
  for (std::size_t row = 0; row < result->rows(); ++row) environments.push_back(environment_in(*result, row));
  co_return environments;
}

async::Task<Expected<std::optional<Environment>>> EnvironmentStore::find(std::string slug) {
  postgres::Parameters parameters{slug};
  co_return only_one(co_await pool_.query(std::string(kSelect) + "where slug = $1", std::move(parameters)));
}

async::Task<Expected<EnvironmentStore::TransactionPointer>> EnvironmentStore::begin() {
  auto transaction = co_await pool_.begin();
  if (!transaction) co_return std::unexpected(transaction.error().for_caller());
  co_return std::move(*transaction);
}

async::Task<Expected<EnvironmentStore::TransactionPointer>> EnvironmentStore::begin_alone() {
  auto transaction = co_await begin();
  if (!transaction) co_return transaction;
  auto locked = co_await (*transaction)->query("lock table environments in share row exclusive mode");
  if (!locked) co_return std::unexpected(locked.error().for_caller());
  co_return transaction;
}

async::Task<Expected<std::int64_t>> EnvironmentStore::count(postgres::Transaction& transaction) {
  auto result = co_await transaction.query("select count(*) from environments");
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return result->integer(0, 0);
}

async::Task<Expected<bool>> EnvironmentStore::is_spent(postgres::Transaction& transaction, std::string data_name) {
  postgres::Parameters parameters{data_name};
  auto result = co_await transaction.query("select exists (select from removed_environments where data_name = $1)",
                                           std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return result->boolean(0, 0);
}

async::Task<Expected<bool>> EnvironmentStore::insert(postgres::Transaction& transaction, Environment environment) {
  postgres::Parameters parameters{environment.id,
                                  environment.slug,
                                  environment.display_name,
                                  format_instant(environment.created_at),
                                  environment.data_name,
                                  environment.execution_retention_days,
                                  environment.log_retention_days,
                                  environment.metric_retention_days,
                                  environment.jar_retention_count};
  auto result = co_await transaction.query(
      "insert into environments (id, slug, display_name, created_at, data_name, execution_retention_days, "
      "log_retention_days, metric_retention_days, jar_retention_count) "
      "values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (slug) do nothing",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return result->affected() > 0;
}

async::Task<Expected<std::optional<Environment>>> EnvironmentStore::lock(postgres::Transaction& transaction,
                                                                         std::string slug) {
  postgres::Parameters parameters{slug};
  co_return only_one(
      co_await transaction.query(std::string(kSelect) + "where slug = $1 for update", std::move(parameters)));
}

async::Task<Expected<void>> EnvironmentStore::update(postgres::Transaction& transaction, Environment environment) {
  postgres::Parameters parameters{environment.id,
                                  environment.display_name,
                                  environment.execution_retention_days,
                                  environment.log_retention_days,
                                  environment.metric_retention_days,
                                  environment.jar_retention_count};
  auto result = co_await transaction.query(
      "update environments set display_name = $2, execution_retention_days = $3, log_retention_days = $4, "
      "metric_retention_days = $5, jar_retention_count = $6 where id = $1",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return Expected<void>{};
}

async::Task<postgres::Outcome<RemovedRows>> EnvironmentStore::remove(postgres::Transaction& transaction,
                                                                     Environment environment, Instant now) {
  RemovedRows removed;
  for (const auto& [sql, counted] : kCascade) {
    postgres::Parameters parameters{environment.slug};
    auto result = co_await transaction.query(sql, std::move(parameters));
    if (!result) co_return std::unexpected(std::move(result.error()));
    removed.*counted = result->affected();
  }
  postgres::Parameters parameters{environment.id, environment.slug, environment.data_name, format_instant(now)};
  auto noted = co_await transaction.query(
      "insert into removed_environments (environment_id, slug, data_name, removed_at, next_sweep_at) "
      "values ($1, $2, $3, $4::timestamptz, $4::timestamptz)",
      std::move(parameters));
  if (!noted) co_return std::unexpected(std::move(noted.error()));
  postgres::Parameters which{environment.id};
  auto gone = co_await transaction.query("delete from environments where id = $1", std::move(which));
  if (!gone) co_return std::unexpected(std::move(gone.error()));
  co_return removed;
}

}  // namespace cameleer::server
