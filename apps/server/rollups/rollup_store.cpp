#include "server/rollups/rollup_store.hpp"

namespace cameleer::server {
namespace {

using clickhouse::Parameter;

Parameter instant(std::string name, Instant value) {
  return Parameter::instant(std::move(name), milliseconds_of(value));
}

}  // namespace

async::Task<Expected<Instant>> RollupStore::now() {
  Instant now{};
  std::function<bool(const clickhouse::Row&)> take = [&now](const clickhouse::Row& row) {
    now = instant_of(row.integer(0));
    return true;
  };
  auto outcome = co_await engine_.select("SELECT toUnixTimestamp64Milli(now64(3)) AS now", {}, std::move(take));
  if (!outcome) co_return std::unexpected(std::move(outcome.error().error));
  co_return now;
}

async::Task<Expected<std::optional<Instant>>> RollupStore::oldest() {
  std::optional<Instant> oldest;
  std::function<bool(const clickhouse::Row&)> take = [&oldest](const clickhouse::Row& row) {
    if (row.integer(1) > 0) oldest = instant_of(row.integer(0));
    return true;
  };
  auto outcome = co_await engine_.select(
      "SELECT toUnixTimestamp64Milli(least(e.first, p.first)) AS first, e.n + p.n AS n FROM "
      "(SELECT if(count() = 0, now64(3), min(start_time)) AS first, count() AS n FROM executions "
      "WHERE tenant_id = {tenant:String}) AS e, "
      "(SELECT if(count() = 0, now64(3), min(start_time)) AS first, count() AS n FROM processor_executions "
      "WHERE tenant_id = {tenant:String}) AS p",
      {Parameter::text("tenant", tenant_)}, std::move(take));
  if (!outcome) co_return std::unexpected(std::move(outcome.error().error));
  co_return oldest;
}

async::Task<Expected<std::vector<RollupStore::Minute>>> RollupStore::due(RollupKind kind, Span span, Minute after,
                                                                         std::size_t most) {
  std::vector<Minute> minutes;
  std::function<bool(const clickhouse::Row&)> take = [&minutes](const clickhouse::Row& row) {
    minutes.push_back({std::string(row.text(0)), Instant(std::chrono::seconds(row.integer(1)))});
    return true;
  };
  clickhouse::Parameters parameters{
      Parameter::text("tenant", tenant_),         instant("rolled_to", span.from.minutes_before),
      instant("roll_to", span.to.minutes_before), instant("taken_from", span.from.taken_before),
      instant("taken_to", span.to.taken_before),  Parameter::text("after_environment", after.environment),
      instant("after_minute", after.minute),      Parameter::integer("most", static_cast<std::int64_t>(most))};
  auto outcome = co_await engine_.select(due_sql(kind), std::move(parameters), std::move(take));
  if (!outcome) co_return std::unexpected(std::move(outcome.error().error));
  co_return minutes;
}

async::Task<Expected<void>> RollupStore::replace(RollupKind kind, std::string environment, MinuteRange minutes) {
  clickhouse::Parameters parameters{Parameter::text("tenant", tenant_), Parameter::text("environment", environment),
                                    instant("from", minutes.from), instant("to", minutes.to)};
  auto outcome = co_await engine_.execute(replace_sql(kind), std::move(parameters));
  if (!outcome) co_return std::unexpected(std::move(outcome.error().error));
  co_return Expected<void>{};
}

}  // namespace cameleer::server
