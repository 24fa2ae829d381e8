#include "server/configuration/configuration_store.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace cameleer::server {
namespace {

namespace json = boost::json;

constexpr const char* kGlobalKeys = "(select value from server_config where key = 'sensitive_keys')";

/// Of an array of texts; NULL is an empty one.
void append_keys(std::string_view array, std::vector<std::string>& into) {
  if (array.empty()) return;
  for (const auto& key : json::parse(array).as_array()) into.emplace_back(key.as_string());
}

std::string array_of(const std::vector<std::string>& keys) {
  json::array array;
  for (const auto& key : keys) array.emplace_back(key);
  return json::serialize(array);
}

/// Columns `from` and the next four: content, version, tap version, when and by whom.
Expected<ApplicationConfig> config_in(const postgres::Result& result, std::size_t from, const ApplicationKey& key) {
  ApplicationConfig config;
  if (!result.is_null(0, from)) {
    auto read = read_application_config(result.text(0, from));
    if (!read) return fail(ErrorCode::internal, "The stored configuration cannot be read.");
    config = std::move(*read);
    config.version = static_cast<std::uint64_t>(result.integer(0, from + 1));
    config.tap_version = static_cast<std::uint64_t>(result.integer(0, from + 2));
    config.updated_at = instant_of(result.integer(0, from + 3));
    config.updated_by = result.text(0, from + 4);
  }
  config.environment = key.environment;
  config.application = key.application;
  return config;
}

/// The stored configuration, empty when there is none; nobody changes it before the transaction ends.
async::Task<postgres::Outcome<std::string>> locked_config(postgres::Transaction& transaction, ApplicationKey key) {
  postgres::Parameters parameters{key.environment, key.application};
  // A row that is not there yet cannot be locked.
  auto locked =
      co_await transaction.query("select pg_advisory_xact_lock(hashtextextended($1, hashtext($2)))", parameters);
  if (!locked) co_return std::unexpected(std::move(locked.error()));
  auto result = co_await transaction.query(
      "select config from application_configs where environment = $1 and application = $2 for update",
      std::move(parameters));
  if (!result) co_return std::unexpected(std::move(result.error()));
  co_return result->rows() == 0 ? std::string() : std::string(result->text(0, 0));
}

/// `before` and `after` of the members that differ.
json::object difference(std::string_view before_text, std::string_view after_text) {
  const auto before = before_text.empty() ? json::object() : json::parse(before_text).as_object();
  const auto after = json::parse(after_text).as_object();
  json::object old_members, new_members;
  for (const auto& member : before) {
    const auto* now = after.if_contains(member.key());
    if (now == nullptr || *now != member.value()) old_members[member.key()] = member.value();
  }
  for (const auto& member : after) {
    const auto* earlier = before.if_contains(member.key());
    if (earlier == nullptr || *earlier != member.value()) new_members[member.key()] = member.value();
  }
  json::object detail;
  detail["before"] = std::move(old_members);
  detail["after"] = std::move(new_members);
  return detail;
}

json::array as_json(const std::vector<std::string>& keys) {
  json::array array;
  for (const auto& key : keys) array.emplace_back(key);
  return array;
}

AuditEntry changed_keys(const std::vector<std::string>& before, const std::vector<std::string>& after,
                        std::size_t applications, AuditActor actor) {
  const auto missing_in = [](const auto& others) {
    return [&others](const auto& key) { return std::ranges::find(others, key) == others.end(); };
  };
  return {.actor = std::move(actor),
          .category = AuditCategory::config,
          .action = "update_sensitive_keys",
          .target = "sensitive_keys",
          .detail = {{"before", as_json(before)},
                     {"after", as_json(after)},
                     {"added", std::ranges::count_if(after, missing_in(before))},
                     {"removed", std::ranges::count_if(before, missing_in(after))},
                     {"applications", applications}}};
}

}  // namespace

async::Task<Expected<ConfigurationStore::Stored>> ConfigurationStore::read(ApplicationKey key) {
  postgres::Parameters parameters{key.environment, key.application};
  auto result = co_await pool_.query(
      fmt::format("select {}, c.config, c.version, c.tap_version, "
                  "floor(extract(epoch from c.updated_at) * 1000)::bigint, c.updated_by, "
                  "c.applied_config, c.applied_version, c.applied_tap_version, "
                  "floor(extract(epoch from c.applied_at) * 1000)::bigint, c.applied_by "
                  "from (select) one left join application_configs c on c.environment = $1 and c.application = $2",
                  kGlobalKeys),
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  auto latest = config_in(*result, 1, key);
  if (!latest) co_return std::unexpected(latest.error());
  auto applied = config_in(*result, 6, key);
  if (!applied) co_return std::unexpected(applied.error());
  Stored stored{.latest = std::move(*latest), .applied = std::move(*applied), .global_keys = {}};
  append_keys(result->text(0, 0), stored.global_keys);
  co_return stored;
}

async::Task<Expected<std::optional<ConfigurationStore::Written>>> ConfigurationStore::write(
    ApplicationConfig config, bool applied, std::optional<std::uint64_t> expected, AuditActor actor) {
  postgres::Parameters parameters{config.environment,
                                  config.application,
                                  to_json(config),
                                  format_instant(config.updated_at.value_or(Instant{})),
                                  config.updated_by,
                                  applied,
                                  expected ? postgres::Parameter(static_cast<std::int64_t>(*expected)) : std::nullopt};
  auto transaction = co_await pool_.begin();
  if (!transaction) co_return std::unexpected(transaction.error().for_caller());
  auto before = co_await locked_config(**transaction, {config.environment, config.application});
  if (!before) co_return std::unexpected(before.error().for_caller());
  auto result =
      co_await (*transaction)
          ->query(
              fmt::format(
                  "with new as (select $3::jsonb as config, $4::timestamptz as at, $5::text as by, "
                  "case when jsonb_array_length($3::jsonb -> 'taps') > 0 then 1 else 0 end as tap_version) "
                  "insert into application_configs as c (environment, application, config, version, tap_version, "
                  "updated_at, "
                  "updated_by, applied_config, applied_version, applied_tap_version, applied_at, applied_by) "
                  "select $1::text, $2::text, config, 1, tap_version, at, by, case when $6::boolean then config end, "
                  "case when $6 then 1 end, case when $6 then tap_version end, case when $6 then at end, case when $6 "
                  "then by "
                  "end "
                  "from new where coalesce($7::bigint, 0) = 0 "
                  "or exists (select from application_configs where environment = $1 and application = $2) "
                  "on conflict (environment, application) do update set config = excluded.config, version = c.version "
                  "+ 1, "
                  "tap_version = c.tap_version + (c.config -> 'taps' <> excluded.config -> 'taps')::int, "
                  "updated_at = excluded.updated_at, updated_by = excluded.updated_by, "
                  "applied_config = coalesce(excluded.applied_config, c.applied_config), "
                  "applied_version = case when $6 then c.version + 1 else c.applied_version end, "
                  "applied_tap_version = case when $6 then c.tap_version + (c.config -> 'taps' <> excluded.config -> "
                  "'taps')::int "
                  "else c.applied_tap_version end, "
                  "applied_at = coalesce(excluded.applied_at, c.applied_at), "
                  "applied_by = coalesce(excluded.applied_by, c.applied_by) "
                  "where $7::bigint is null or c.version = $7 returning version, tap_version, {}, config",
                  kGlobalKeys),
              std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  if (result->rows() == 0) co_return std::optional<Written>{};
  Written written{.version = static_cast<std::uint64_t>(result->integer(0, 0)),
                  .tap_version = static_cast<std::uint64_t>(result->integer(0, 1)),
                  .global_keys = {}};
  append_keys(result->text(0, 2), written.global_keys);
  if (actor.username.empty()) actor.username = config.updated_by;
  AuditEntry entry{.actor = std::move(actor),
                   .category = AuditCategory::config,
                   .action = "update_application_config",
                   .target = config.environment + "/" + config.application,
                   .detail = difference(*before, result->text(0, 3))};
  entry.detail["version"] = written.version;
  entry.detail["apply"] = applied ? "live" : "staged";
  auto noted = co_await audit_.append(**transaction, std::move(entry));
  if (!noted) co_return std::unexpected(noted.error().for_caller());
  auto committed = co_await (*transaction)->commit();
  if (!committed) co_return std::unexpected(committed.error().for_caller());
  co_return std::optional(std::move(written));
}

async::Task<Expected<std::vector<std::string>>> ConfigurationStore::global_keys() {
  auto result = co_await pool_.query(fmt::format("select {}", kGlobalKeys));
  if (!result) co_return std::unexpected(result.error().for_caller());
  std::vector<std::string> keys;
  append_keys(result->text(0, 0), keys);
  co_return keys;
}

async::Task<Expected<void>> ConfigurationStore::write_global_keys(std::vector<std::string> keys,
                                                                  std::vector<ApplicationKey> renewed,
                                                                  std::string username, Instant now, AuditActor actor) {
  auto transaction = co_await pool_.begin();
  if (!transaction) co_return std::unexpected(transaction.error().for_caller());
  auto locked = co_await (*transaction)->query("select pg_advisory_xact_lock(hashtextextended('sensitive_keys', 0))");
  if (!locked) co_return std::unexpected(locked.error().for_caller());
  auto earlier = co_await (*transaction)->query(fmt::format("select {}", kGlobalKeys));
  if (!earlier) co_return std::unexpected(earlier.error().for_caller());
  std::vector<std::string> before;
  append_keys(earlier->text(0, 0), before);
  if (actor.username.empty()) actor.username = username;
  auto noted = co_await audit_.append(**transaction, changed_keys(before, keys, renewed.size(), std::move(actor)));
  if (!noted) co_return std::unexpected(noted.error().for_caller());
  postgres::Parameters value{array_of(keys)};
  auto written = co_await (*transaction)
                     ->query(
                         "insert into server_config (key, value) values ('sensitive_keys', $1::jsonb) "
                         "on conflict (key) do update set value = excluded.value",
                         std::move(value));
  if (!written) co_return std::unexpected(written.error().for_caller());
  std::vector<std::string> environments, applications;
  for (auto& [environment, application] : renewed) {
    environments.push_back(std::move(environment));
    applications.push_back(std::move(application));
  }
  postgres::Parameters parameters{postgres::Parameter::text_array(environments),
                                  postgres::Parameter::text_array(applications), to_json(ApplicationConfig{}),
                                  format_instant(now), username};
  // Rows are locked in one order, so that two processes never wait for each other.
  auto done = co_await (*transaction)
                  ->query(
                      "insert into application_configs as c (environment, application, config, version, tap_version, "
                      "updated_at, updated_by, applied_config, applied_version, applied_tap_version, applied_at, "
                      "applied_by) "
                      "select environment, application, $3::jsonb, 1, 0, $4::timestamptz, $5::text, $3::jsonb, 1, 0, "
                      "$4::timestamptz, $5::text from unnest($1::text[], $2::text[]) as live (environment, "
                      "application) order by environment, application "
                      "on conflict (environment, application) do update set "
                      "applied_config = coalesce(c.applied_config, excluded.applied_config), "
                      "applied_version = c.version + 1, applied_tap_version = coalesce(c.applied_tap_version, 0), "
                      "applied_at = excluded.applied_at, applied_by = excluded.applied_by, "
                      "version = c.version + case when c.applied_version = c.version then 1 else 2 end, "
                      "updated_at = excluded.updated_at, updated_by = excluded.updated_by",
                      std::move(parameters));
  if (!done) co_return std::unexpected(done.error().for_caller());
  auto committed = co_await (*transaction)->commit();
  if (!committed) co_return std::unexpected(committed.error().for_caller());
  co_return Expected<void>{};
}

async::Task<Expected<ConfigurationStore::Keys>> ConfigurationStore::sensitive_keys(ApplicationKey key) {
  postgres::Parameters parameters{key.environment, key.application};
  auto result = co_await pool_.query(
      fmt::format("select {}, c.config -> 'sensitiveKeys', c.applied_config -> 'sensitiveKeys' "
                  "from (select) one left join application_configs c on c.environment = $1 and c.application = $2",
                  kGlobalKeys),
      std::move(parameters));
  if (!result) co_return std::unexpected(result.error().for_caller());
  Keys keys;
  append_keys(result->text(0, 0), keys.global);
  append_keys(result->text(0, 1), keys.own);
  append_keys(result->text(0, 2), keys.own);
  co_return keys;
}

}  // namespace cameleer::server
