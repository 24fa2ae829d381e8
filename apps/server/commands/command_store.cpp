#include "server/commands/command_store.hpp"

#include <boost/json/array.hpp>
#include <cameleer/identity/encoding.hpp>
#include <set>

namespace cameleer::server {
namespace {

postgres::Parameter text_or_null(const std::optional<std::string>& text) {
  return text ? postgres::Parameter(*text) : postgres::Parameter(std::nullopt);
}

std::optional<Instant> instant_in(const postgres::Result& result, std::size_t column) {
  if (result.is_null(0, column)) return std::nullopt;
  return instant_of(result.integer(0, column));
}

command::Type type_in(const postgres::Result& result, std::size_t row, std::size_t column) {
  return command::type_of(result.text(row, column)).value_or(command::Type::config_update);
}

constexpr const char* kSelect =
    "select command_id, environment, agent_id, application, type, state, issued_by, "
    "floor(extract(epoch from issued_at) * 1000)::bigint, floor(extract(epoch from expires_at) * 1000)::bigint, "
    "floor(extract(epoch from delivered_at) * 1000)::bigint, floor(extract(epoch from settled_at) * 1000)::bigint, "
    "message, data from agent_commands where command_id = $1::uuid";

// $1 and $2 are lists of the same length; the rest holds for all rows of one statement or is a list as well.
constexpr const char* kInsert =
    "with wanted as (select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[]) with ordinality "
    "as w (command_id, agent_id, application, payload, signature, number)), "
    "open as (select w.* from wanted w where (select count(*) from (select from agent_commands c "
    "where c.environment = $6 and c.agent_id = w.agent_id and c.state in ('PENDING', 'DELIVERED') "
    "and c.expires_at > $9::timestamptz limit $11::bigint) live) < $11::bigint) "
    "insert into agent_commands (command_id, environment, agent_id, application, type, state, payload, signature, "
    "key_id, issued_by, issued_at, expires_at) "
    "select command_id, $6::text, agent_id, application, $7, 'PENDING', payload, signature, $8, $12, $9::timestamptz, "
    "$10::timestamptz from open order by number returning command_id";

// The share lock on the stream's row holds up a newer stream until this claim is done, and this claim behind a newer
// stream finds another epoch.
constexpr const char* kClaim =
    "with stream as materialized (select from agent_streams where environment = $1 and agent_id = $2 "
    "and epoch = $3::bigint for share), "
    "due as materialized (select command_id from agent_commands where environment = $1 and agent_id = $2 "
    "and (state = 'PENDING' or (state = 'DELIVERED' and position > $4::bigint)) and expires_at > $5::timestamptz "
    "and exists (select from stream) order by position limit $6::bigint for update), "
    "claimed as (update agent_commands c set state = 'DELIVERED', "
    "delivered_at = coalesce(c.delivered_at, $5::timestamptz) from due where c.command_id = due.command_id "
    "returning c.command_id, c.position, c.type, c.payload, c.signature, c.key_id) "
    "select exists (select from stream), command_id, position, type, payload, signature, key_id "
    "from (values (1)) one left join claimed on true order by position";

constexpr std::size_t kMaxNamedAgents = 100;

/// To whom which command was sent; its body is nobody's business here.
AuditEntry sent(const std::vector<NewCommand>& commands, const std::vector<std::string>& inserted, AuditActor actor) {
  const std::set<std::string> ids(inserted.begin(), inserted.end());
  boost::json::array agents;
  for (const auto& command : commands) {
    if (agents.size() < kMaxNamedAgents && ids.contains(command.record.id))
      agents.emplace_back(command.record.agent.id);
  }
  const auto& first = commands.front().record;
  if (actor.username.empty()) actor.username = first.issued_by;
  const auto target = inserted.size() == 1 ? std::string(agents.front().as_string()) : first.agent.environment;
  return {.actor = std::move(actor),
          .category = AuditCategory::agent,
          .action = "send_command",
          .target = target,
          .detail = {{"type", command::name_of(first.type)},
                     {"environment", first.agent.environment},
                     {"count", inserted.size()},
                     {"agents", std::move(agents)}}};
}

}  // namespace

async::Task<Expected<std::vector<std::string>>> CommandStore::insert(std::vector<NewCommand> commands,
                                                                     std::size_t most_live, AuditService& audit,
                                                                     AuditActor actor) {
  std::vector<std::string> ids, agents, applications, payloads, signatures;
  for (auto& command : commands) {
    ids.push_back(command.record.id);
    agents.push_back(command.record.agent.id);
    applications.push_back(command.record.application);
    payloads.push_back(std::move(command.payload));
    signatures.push_back(std::move(command.signature));
  }
  const auto& first = commands.front();
  postgres::Parameters parameters{postgres::Parameter::text_array(ids),
                                  postgres::Parameter::text_array(agents),
                                  postgres::Parameter::text_array(applications),
                                  postgres::Parameter::text_array(payloads),
                                  postgres::Parameter::text_array(signatures),
                                  first.record.agent.environment,
                                  std::string(command::name_of(first.record.type)),
                                  first.key_id,
                                  format_instant(first.record.issued_at),
                                  format_instant(first.record.expires_at),
                                  static_cast<std::int64_t>(most_live),
                                  first.record.issued_by};
  auto transaction = co_await pool_.begin();
  if (!transaction) co_return std::unexpected(transaction.error().for_caller());
  auto result = co_await (*transaction)->query(kInsert, std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  std::vector<std::string> inserted;
  inserted.reserve(result->rows());
  for (std::size_t row = 0; row < result->rows(); ++row) inserted.emplace_back(result->text(row, 0));
  if (!inserted.empty()) {
    auto noted = co_await audit.append(**transaction, sent(commands, inserted, std::move(actor)));
    if (!noted) co_return std::unexpected(noted.error().for_caller());
  }
  auto committed = co_await (*transaction)->commit();
  if (!committed) co_return std::unexpected(committed.error().for_caller());
  co_return inserted;
}

async::Task<Expected<std::optional<CommandRecord>>> CommandStore::find(std::string id) {
  if (!identity::is_uuid(id)) co_return std::optional<CommandRecord>{};
  postgres::Parameters parameters{id};
  auto result = co_await pool_.query(kSelect, std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  if (result->rows() == 0) co_return std::optional<CommandRecord>{};
  CommandRecord record;
  record.id = result->text(0, 0);
  record.agent = {.environment = std::string(result->text(0, 1)), .id = std::string(result->text(0, 2))};
  record.application = result->text(0, 3);
  record.type = type_in(*result, 0, 4);
  record.state = command::state_of(result->text(0, 5)).value_or(command::State::expired);
  record.issued_by = result->text(0, 6);
  record.issued_at = instant_of(result->integer(0, 7));
  record.expires_at = instant_of(result->integer(0, 8));
  record.delivered_at = instant_in(*result, 9);
  record.settled_at = instant_in(*result, 10);
  record.message = result->optional_text(0, 11);
  record.data = result->optional_text(0, 12);
  co_return std::optional(std::move(record));
}

async::Task<Expected<std::optional<command::Type>>> CommandStore::settle(agent::Key agent, std::string id,
                                                                         CommandResult result, Instant now) {
  postgres::Parameters parameters{agent.environment,
                                  agent.id,
                                  id,
                                  std::string(command::name_of(result.state)),
                                  text_or_null(result.message),
                                  text_or_null(result.data),
                                  format_instant(now)};
  auto settled = co_await pool_.query(
      "update agent_commands set state = $4, message = $5, data = $6::jsonb, settled_at = $7::timestamptz, "
      "delivered_at = coalesce(delivered_at, $7::timestamptz) where environment = $1 and agent_id = $2 "
      "and command_id = $3::uuid and state in ('PENDING', 'DELIVERED') and expires_at > $7::timestamptz returning type",
      std::move(parameters));
  if (!settled) co_return std::unexpected(settled.error().for_caller());
  if (settled->rows() == 0) co_return std::optional<command::Type>{};
  co_return std::optional(type_in(*settled, 0, 0));
}

async::Task<Expected<bool>> CommandStore::has_result(std::string id, CommandResult result) {
  postgres::Parameters parameters{id, std::string(command::name_of(result.state)), text_or_null(result.message),
                                  text_or_null(result.data)};
  auto found = co_await pool_.query(
      "select from agent_commands where command_id = $1::uuid and state = $2 and message is not distinct from $3 "
      "and data is not distinct from $4::jsonb",
      std::move(parameters));
  if (!found) co_return std::unexpected(found.error().for_caller());
  co_return found->rows() > 0;
}

async::Task<Expected<std::int64_t>> CommandStore::open_stream(agent::Key agent, std::string process, Instant now) {
  postgres::Parameters parameters{agent.environment, agent.id, process, format_instant(now)};
  auto result = co_await pool_.query(
      "insert into agent_streams (environment, agent_id, epoch, process_id, opened_at) "
      "values ($1, $2, 1, $3::uuid, $4::timestamptz) on conflict (environment, agent_id) do update "
      "set epoch = agent_streams.epoch + 1, process_id = excluded.process_id, opened_at = excluded.opened_at "
      "returning epoch",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return result->integer(0, 0);
}

async::Task<Expected<std::int64_t>> CommandStore::position_of(agent::Key agent, std::string id) {
  if (!identity::is_uuid(id)) co_return kNothingAgain;
  postgres::Parameters parameters{agent.environment, agent.id, id};
  auto result = co_await pool_.query(
      "select position from agent_commands where environment = $1 and agent_id = $2 and command_id = $3::uuid",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return result->rows() == 0 ? kNothingAgain : result->integer(0, 0);
}

async::Task<Expected<CommandStore::Claimed>> CommandStore::claim(agent::Key agent, std::int64_t epoch,
                                                                 std::int64_t after, std::size_t most, Instant now) {
  postgres::Parameters parameters{
      agent.environment, agent.id, epoch, after, format_instant(now), static_cast<std::int64_t>(most)};
  auto result = co_await pool_.query(kClaim, std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  Claimed claimed;
  if (!result->boolean(0, 0)) {
    // Asked anew: the first statement may have waited for whoever deleted the row that it saw.
    postgres::Parameters who{agent.environment, agent.id};
    auto known = co_await pool_.query(
        "select exists (select from agent_streams where environment = $1 and agent_id = $2)", std::move(who));
    if (!known) co_return std::unexpected(known.error().for_caller());
    claimed.standing = known->boolean(0, 0) ? Standing::superseded : Standing::gone;
  }
  for (std::size_t row = 0; row < result->rows() && !result->is_null(row, 1); ++row) {
    claimed.commands.push_back({.id = std::string(result->text(row, 1)),
                                .position = result->integer(row, 2),
                                .type = std::string(result->text(row, 3)),
                                .payload = std::string(result->text(row, 4)),
                                .signature = std::string(result->text(row, 5)),
                                .key_id = std::string(result->text(row, 6))});
  }
  co_return claimed;
}

async::Task<Expected<void>> CommandStore::give_back(std::vector<std::string> ids) {
  postgres::Parameters parameters{postgres::Parameter::text_array(ids)};
  auto result = co_await pool_.query(
      "update agent_commands set state = 'PENDING', delivered_at = null where command_id = any ($1::uuid[]) "
      "and state = 'DELIVERED'",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return Expected<void>{};
}

async::Task<Expected<std::vector<CommandStore::News>>> CommandStore::news(std::vector<Stream> streams, Instant now) {
  std::vector<std::string> environments, agents, epochs;
  for (const auto& stream : streams) {
    environments.push_back(stream.agent.environment);
    agents.push_back(stream.agent.id);
    epochs.push_back(std::to_string(stream.epoch));
  }
  postgres::Parameters parameters{postgres::Parameter::text_array(environments),
                                  postgres::Parameter::text_array(agents), postgres::Parameter::text_array(epochs),
                                  format_instant(now)};
  auto result = co_await pool_.query(
      "select * from (select mine.*, s.epoch is distinct from mine.epoch as over, s.epoch is null as gone, exists "
      "(select "
      "from agent_commands c where c.environment = mine.environment and c.agent_id = mine.agent_id "
      "and c.state = 'PENDING' and c.expires_at > $4::timestamptz) as pending "
      "from unnest($1::text[], $2::text[], $3::bigint[]) as mine (environment, agent_id, epoch) "
      "left join agent_streams s using (environment, agent_id)) streams where over or pending",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  std::vector<News> news;
  news.reserve(result->rows());
  for (std::size_t row = 0; row < result->rows(); ++row) {
    news.push_back({.stream = {.agent = {.environment = std::string(result->text(row, 0)),
                                         .id = std::string(result->text(row, 1))},
                               .epoch = result->integer(row, 2)},
                    .standing = !result->boolean(row, 3)  ? Standing::newest
                                : result->boolean(row, 4) ? Standing::gone
                                                          : Standing::superseded});
  }
  co_return news;
}

async::Task<Expected<std::vector<command::Type>>> CommandStore::expire(Instant now) {
  postgres::Parameters parameters{format_instant(now)};
  // Rows that another process works on are left to its next turn.
  auto result = co_await pool_.query(
      "with over as (select command_id from agent_commands where state in ('PENDING', 'DELIVERED') "
      "and expires_at <= $1::timestamptz order by position limit 1000 for update skip locked) "
      "update agent_commands c set state = 'EXPIRED', settled_at = $1::timestamptz from over "
      "where c.command_id = over.command_id returning c.type",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  std::vector<command::Type> types;
  types.reserve(result->rows());
  for (std::size_t row = 0; row < result->rows(); ++row) types.push_back(type_in(*result, row, 0));
  co_return types;
}

async::Task<Expected<void>> CommandStore::delete_settled(Instant before) {
  postgres::Parameters parameters{format_instant(before)};
  auto result = co_await pool_.query(
      "delete from agent_commands where command_id in (select command_id from agent_commands "
      "where settled_at <= $1::timestamptz order by settled_at limit 10000)",
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return Expected<void>{};
}

}  // namespace cameleer::server
