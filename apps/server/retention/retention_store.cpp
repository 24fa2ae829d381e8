#include "server/retention/retention_store.hpp"

namespace cameleer::server {
namespace {

std::optional<std::int64_t> number_in(const postgres::Result& result, std::size_t row, std::size_t column) {
  if (result.is_null(row, column)) return std::nullopt;
  return result.integer(row, column);
}

// A row for each number of days that was in force, the longest first; none: the kind is null.
void take_days(const postgres::Result& result, std::size_t row, RetainedEnvironment& environment) {
  const auto kind = telemetry_kind_named(result.text(row, 5));
  if (!kind) return;
  auto& history = environment.known[*kind];
  if (!history) history.emplace();
  const std::chrono::days days(result.integer(row, 6));
  if (const auto until = number_in(result, row, 7)) {
    history->earlier.push_back({.days = days, .until = instant_of(*until)});
  } else {
    history->days = days;
  }
}

struct Columns {
  std::vector<std::string> environments, kinds, days, until;
};

Columns columns_of(const std::vector<RetentionChange>& changes) {
  Columns columns;
  const auto add = [&columns](const RetentionChange& change, std::chrono::days days, std::string until) {
    columns.environments.push_back(change.environment_id);
    columns.kinds.emplace_back(name_of(change.kind));
    columns.days.push_back(std::to_string(days.count()));
    columns.until.push_back(std::move(until));
  };
  for (const auto& change : changes) {
    add(change, change.history.days, "");
    for (const auto& one : change.history.earlier) add(change, one.days, format_instant(one.until));
  }
  return columns;
}

}  // namespace

async::Task<Expected<std::vector<RetainedEnvironment>>> RetentionStore::read() {
  auto result = co_await pool_.query(
      "select e.id, coalesce(e.data_name, e.slug), e.execution_retention_days, e.log_retention_days, "
      "e.metric_retention_days, r.kind, r.days, floor(extract(epoch from r.ended_at) * 1000)::bigint "
      "from environments e left join retention_days r on r.environment_id = e.id "
      "order by e.id, r.kind, r.days desc");
  if (!result) co_return std::unexpected(result.error().for_caller());
  std::vector<RetainedEnvironment> environments;
  for (std::size_t row = 0; row < result->rows(); ++row) {
    if (environments.empty() || environments.back().id != result->text(row, 0)) {
      environments.push_back({.id = std::string(result->text(row, 0)), .data_name = std::string(result->text(row, 1))});
      auto& wished = environments.back().wished;
      wished[TelemetryKind::execution] = number_in(*result, row, 2);
      wished[TelemetryKind::log] = number_in(*result, row, 3);
      wished[TelemetryKind::metric] = number_in(*result, row, 4);
    }
    take_days(*result, row, environments.back());
  }
  co_return environments;
}

async::Task<Expected<void>> RetentionStore::put(std::vector<RetentionChange> changes) {
  const auto columns = columns_of(changes);
  auto transaction = co_await pool_.begin();
  if (!transaction) co_return std::unexpected(transaction.error().for_caller());
  using postgres::Parameter;
  // Before their rows here, as whoever removes an environment does.
  postgres::Parameters locked{Parameter::text_array(columns.environments)};
  auto done = co_await (*transaction)
                  ->query("select id from environments where id = any ($1::text[]::uuid[]) order by id for key share",
                          std::move(locked));
  if (!done) co_return std::unexpected(done.error().for_caller());
  postgres::Parameters which{Parameter::text_array(columns.environments), Parameter::text_array(columns.kinds)};
  done = co_await (*transaction)
             ->query(
                 "delete from retention_days where (environment_id, kind) in "
                 "(select e::uuid, k from unnest($1::text[], $2::text[]) as given (e, k))",
                 std::move(which));
  if (!done) co_return std::unexpected(done.error().for_caller());
  postgres::Parameters rows{Parameter::text_array(columns.environments), Parameter::text_array(columns.kinds),
                            Parameter::text_array(columns.days), Parameter::text_array(columns.until)};
  done = co_await (*transaction)
             ->query(
                 "insert into retention_days (environment_id, kind, days, ended_at) "
                 "select present.id, k, d::bigint, nullif(u, '')::timestamptz "
                 "from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as given (e, k, d, u) "
                 "join environments present on present.id = e::uuid",
                 std::move(rows));
  if (!done) co_return std::unexpected(done.error().for_caller());
  auto committed = co_await (*transaction)->commit();
  if (!committed) co_return std::unexpected(committed.error().for_caller());
  co_return Expected<void>{};
}

async::Task<Expected<bool>> RetentionStore::take_turn(Instant now, Instant until) {
  postgres::Parameters parameters{format_instant(now), format_instant(until)};
  auto result =
      co_await pool_.query("update retention_turn set busy_until = $2::timestamptz where busy_until <= $1::timestamptz",
                           std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return result->affected() > 0;
}

async::Task<Expected<void>> RetentionStore::end_turn(Instant until) {
  postgres::Parameters parameters{format_instant(until)};
  auto result =
      co_await pool_.query("update retention_turn set busy_until = to_timestamp(0) where busy_until = $1::timestamptz",
                           std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return Expected<void>{};
}

}  // namespace cameleer::server
