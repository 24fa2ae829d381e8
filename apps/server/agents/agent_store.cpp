#include "server/agents/agent_store.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "server/agents/agent_json.hpp"

namespace cameleer::server {
namespace {

namespace json = boost::json;

constexpr const char* kSelect =
    "select environment, agent_id, display_name, application, version, camel_version, runtime, route_ids, "
    "route_states, "
    "capabilities, state, floor(extract(epoch from registered_at) * 1000)::bigint, "
    "floor(extract(epoch from last_heartbeat_at) * 1000)::bigint, "
    "floor(extract(epoch from state_since) * 1000)::bigint, clock_skew_ms, key_ref from agents ";

std::string json_of(const std::vector<std::string>& texts) {
  json::array array;
  for (const auto& text : texts) array.emplace_back(text);
  return json::serialize(array);
}

std::string json_of(const std::map<std::string, std::string>& texts) {
  json::object object;
  for (const auto& [name, text] : texts) object[name] = text;
  return json::serialize(object);
}

postgres::Parameter text_or_null(const std::string& text) {
  return text.empty() ? postgres::Parameter(std::nullopt) : postgres::Parameter(text);
}

agent::Record record_in(const postgres::Result& result, std::size_t row) {
  agent::Record record;
  record.key = {.environment = std::string(result.text(row, 0)), .id = std::string(result.text(row, 1))};
  record.description.display_name = result.text(row, 2);
  record.description.application = result.text(row, 3);
  record.description.version = result.text(row, 4);
  record.description.camel_version = result.text(row, 5);
  record.description.runtime = result.text(row, 6);
  const auto route_ids = parse_json(result.text(row, 7));
  for (const auto& id : route_ids.as_array()) record.description.route_ids.emplace_back(id.as_string());
  const auto route_states = parse_json(result.text(row, 8));
  for (const auto& member : route_states.as_object()) {
    record.route_states.emplace(member.key(), member.value().as_string());
  }
  record.description.capabilities = result.text(row, 9);
  record.state = agent::state_of(result.text(row, 10)).value_or(agent::State::dead);
  record.registered_at = instant_of(result.integer(row, 11));
  record.last_heartbeat_at = instant_of(result.integer(row, 12));
  record.state_since = instant_of(result.integer(row, 13));
  if (!result.is_null(row, 14)) record.clock_skew_ms = result.integer(row, 14);
  record.key_ref = result.text(row, 15);
  return record;
}

std::vector<agent::Record> records_in(const postgres::Result& result) {
  std::vector<agent::Record> records;
  records.reserve(result.rows());
  for (std::size_t row = 0; row < result.rows(); ++row) records.push_back(record_in(result, row));
  return records;
}

postgres::Parameter event_of(const agent::Change& change) {
  if (!change.transition) return std::nullopt;
  return {std::string(agent::name_of(*change.transition))};
}

/// The whole row and the event of the change.
constexpr const char* kPut =
    "with event as (insert into agent_events (environment, agent_id, application, type, occurred_at) "
    "select $1::text, $2::text, $4::text, $17::text, $18::timestamptz where $17::text is not null) "
    "insert into agents (environment, agent_id, display_name, application, version, camel_version, runtime, "
    "route_ids, "
    "route_states, capabilities, state, registered_at, last_heartbeat_at, state_since, clock_skew_ms, key_ref) "
    "values ($1::text, $2::text, $3, $4::text, $5, $6, $7, $8::jsonb, $9::jsonb, $10::jsonb, $11, $12::timestamptz, "
    "$13::timestamptz, $14::timestamptz, $15::bigint, $16) "
    "on conflict (environment, agent_id) do update set display_name = excluded.display_name, "
    "application = excluded.application, version = excluded.version, camel_version = excluded.camel_version, "
    "runtime = excluded.runtime, route_ids = excluded.route_ids, route_states = excluded.route_states, "
    "capabilities = excluded.capabilities, state = excluded.state, registered_at = excluded.registered_at, "
    "last_heartbeat_at = greatest(agents.last_heartbeat_at, excluded.last_heartbeat_at), "
    "state_since = excluded.state_since, clock_skew_ms = excluded.clock_skew_ms, key_ref = excluded.key_ref";

postgres::Parameters parameters_of(const agent::Change& change, Instant now) {
  const auto& record = change.record;
  return {record.key.environment,
          record.key.id,
          record.description.display_name,
          record.description.application,
          text_or_null(record.description.version),
          text_or_null(record.description.camel_version),
          text_or_null(record.description.runtime),
          json_of(record.description.route_ids),
          json_of(record.route_states),
          record.description.capabilities,
          std::string(agent::name_of(record.state)),
          format_instant(record.registered_at),
          format_instant(record.last_heartbeat_at),
          format_instant(record.state_since),
          record.clock_skew_ms,
          record.key_ref,
          event_of(change),
          format_instant(now)};
}

/// `Connection`: a pool or a transaction.
template <class Connection>
async::Task<Expected<void>> put_in(Connection& connection, agent::Change change, Instant now) {
  auto result = co_await connection.query(kPut, parameters_of(change, now));
  // The environment was removed since it was looked for.
  if (!result && result.error().sqlstate == "23503") {
    co_return fail(ErrorCode::environment_not_found, "There is no environment of this name.");
  }
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return Expected<void>{};
}

}  // namespace

async::Task<Expected<std::optional<agent::Record>>> AgentStore::find(agent::Key key) {
  postgres::Parameters parameters{key.environment, key.id};
  auto result =
      co_await pool_.query(std::string(kSelect) + "where environment = $1 and agent_id = $2", std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  if (result->rows() == 0) co_return std::optional<agent::Record>{};
  co_return std::optional(record_in(*result, 0));
}

async::Task<Expected<std::vector<agent::Record>>> AgentStore::list(std::string environment) {
  postgres::Parameters parameters{environment};
  auto result = co_await pool_.query(std::string(kSelect) + "where environment = $1 order by application, agent_id",
                                     std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return records_in(*result);
}

async::Task<Expected<std::vector<agent::Record>>> AgentStore::find_everywhere(std::string agent_id) {
  postgres::Parameters parameters{agent_id};
  auto result = co_await pool_.query(std::string(kSelect) + "where agent_id = $1 order by environment limit 1000",
                                     std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return records_in(*result);
}

async::Task<Expected<std::vector<agent::Record>>> AgentStore::overdue(agent::Settings settings, Instant now) {
  postgres::Parameters parameters{format_instant(now - settings.stale_after),
                                  format_instant(now - settings.dead_after)};
  auto result = co_await pool_.query(std::string(kSelect) +
                                         "where (state = 'LIVE' and last_heartbeat_at <= $1::timestamptz) "
                                         "or (state = 'STALE' and state_since <= $2::timestamptz) limit 10000",
                                     std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return records_in(*result);
}

async::Task<Expected<void>> AgentStore::put(agent::Change change, Instant now) {
  co_return co_await put_in(pool_, std::move(change), now);
}

async::Task<Expected<void>> AgentStore::put(postgres::Transaction& transaction, agent::Change change, Instant now) {
  co_return co_await put_in(transaction, std::move(change), now);
}

async::Task<Expected<bool>> AgentStore::is_about(postgres::Transaction& transaction, agent::Key key, Instant since) {
  postgres::Parameters parameters{key.environment, key.id, format_instant(since)};
  auto result = co_await transaction.query(
      "select from agents where environment = $1 and agent_id = $2 and (state in ('LIVE', 'STALE') or "
      "last_heartbeat_at >= $3::timestamptz)",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return result->rows() > 0;
}

async::Task<Expected<std::unique_ptr<postgres::Transaction>>> AgentStore::begin() {
  auto transaction = co_await pool_.begin();
  if (!transaction) co_return std::unexpected(transaction.error().for_caller());
  co_return std::move(*transaction);
}

async::Task<Expected<bool>> AgentStore::put_silence(agent::State before, agent::Change change, Instant now) {
  const auto& record = change.record;
  postgres::Parameters parameters{record.key.environment,
                                  record.key.id,
                                  std::string(agent::name_of(before)),
                                  std::string(agent::name_of(record.state)),
                                  format_instant(record.state_since),
                                  format_instant(record.last_heartbeat_at),
                                  event_of(change),
                                  format_instant(now)};
  auto result = co_await pool_.query(
      "with changed as (update agents set state = $4, state_since = $5::timestamptz "
      "where environment = $1 and agent_id = $2 and state = $3 and last_heartbeat_at <= $6::timestamptz "
      "returning environment, agent_id, application) "
      "insert into agent_events (environment, agent_id, application, type, occurred_at) "
      "select environment, agent_id, application, $7::text, $8::timestamptz from changed",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return result->affected() > 0;
}

async::Task<Expected<std::vector<agent::Key>>> AgentStore::put_heartbeats(std::span<const agent::Record> records,
                                                                          Instant now) {
  json::array rows;
  for (const auto& record : records) {
    json::object row;
    row["environment"] = record.key.environment;
    row["agent_id"] = record.key.id;
    row["beat"] = format_instant(record.last_heartbeat_at);
    row["capabilities"] = parse_json(record.description.capabilities);
    json::object states;
    for (const auto& [route, state] : record.route_states) states[route] = state;
    row["route_states"] = std::move(states);
    if (record.clock_skew_ms) row["clock_skew_ms"] = *record.clock_skew_ms;
    rows.push_back(std::move(row));
  }
  postgres::Parameters parameters{json::serialize(rows), format_instant(now)};
  // Rows are locked in one order, so that two processes never wait for each other.
  auto result = co_await pool_.query(
      "with beats as (select * from jsonb_to_recordset($1::jsonb) as b (environment text, agent_id text, "
      "beat timestamptz, capabilities jsonb, route_states jsonb, clock_skew_ms bigint)), "
      "known as (select a.environment, a.agent_id, a.application, a.state, b.beat, b.capabilities, b.route_states, "
      "b.clock_skew_ms "
      "from agents a join beats b using (environment, agent_id) "
      "where a.state in ('LIVE', 'STALE', 'DEAD') or b.beat > a.state_since "
      "order by a.environment, a.agent_id for update of a), "
      "written as (update agents a set last_heartbeat_at = greatest(a.last_heartbeat_at, k.beat), "
      "capabilities = k.capabilities, route_states = k.route_states, "
      "clock_skew_ms = coalesce(k.clock_skew_ms, a.clock_skew_ms), state = 'LIVE', "
      "state_since = case when k.state = 'LIVE' then a.state_since else k.beat end "
      "from known k where a.environment = k.environment and a.agent_id = k.agent_id), "
      "events as (insert into agent_events (environment, agent_id, application, type, occurred_at) "
      "select environment, agent_id, application, 'RECOVERED', $2::timestamptz from known where state <> 'LIVE') "
      "select environment, agent_id from beats except select environment, agent_id from known",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  std::vector<agent::Key> missed;
  missed.reserve(result->rows());
  for (std::size_t row = 0; row < result->rows(); ++row) {
    missed.push_back({.environment = std::string(result->text(row, 0)), .id = std::string(result->text(row, 1))});
  }
  co_return missed;
}

}  // namespace cameleer::server
