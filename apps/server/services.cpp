#include "server/services.hpp"

#include <cameleer/core/embedded.hpp>
#include <thread>

#include "server/agents/agent_routes.hpp"
#include "server/assets/asset_routes.hpp"
#include "server/audit/audit_routes.hpp"
#include "server/auth/auth_routes.hpp"
#include "server/claim_mappings/claim_mapping_routes.hpp"
#include "server/commands/command_routes.hpp"
#include "server/configuration/configuration_routes.hpp"
#include "server/environments/environment_routes.hpp"
#include "server/executions/executions_routes.hpp"
#include "server/ingest/ingest_health.hpp"
#include "server/ingest/ingest_metrics.hpp"
#include "server/ingest/ingest_routes.hpp"
#include "server/license/license_daily.hpp"
#include "server/license/license_metrics.hpp"
#include "server/license/license_routes.hpp"
#include "server/oidc/oidc_admin_routes.hpp"
#include "server/oidc/oidc_routes.hpp"
#include "server/oidc/oidc_sealed_columns.hpp"
#include "server/oidc/provider_fetch.hpp"
#include "server/retention/retention_metrics.hpp"
#include "server/rollups/rollup_metrics.hpp"
#include "server/server_metrics/server_metrics_routes.hpp"
#include "server/telemetry/process_metrics.hpp"
#include "server/telemetry/telemetry_routes.hpp"
#include "server/users/group_routes.hpp"
#include "server/users/role_routes.hpp"
#include "server/users/user_routes.hpp"
#include "server/version.hpp"

namespace cameleer::embedded {
std::span<const File> user_interface();
std::span<const File> openapi();
}  // namespace cameleer::embedded

namespace cameleer::server {
namespace {

// Without PostgreSQL what was known last is good enough to read by.
async::Task<Expected<Environment>> known_environment(EnvironmentService& environments, const DatabaseWatch& database,
                                                     std::string slug) {
  auto found = database.reached() ? co_await environments.find(slug) : environments.last_known(slug);
  if (!found && !database.reached()) found = environments.last_known(slug);
  co_return found;
}

async::Task<Expected<ReadableEnvironment>> readable_environment(Services& services, std::string slug) {
  auto found = co_await known_environment(services.environments, services.database, std::move(slug));
  if (!found) co_return std::unexpected(found.error());
  const auto days = services.retention_policy.effective(wished_days_of(*found));
  co_return ReadableEnvironment{.data_name = std::move(found->data_name), .kept = days[TelemetryKind::execution].days};
}

TelemetryKind kept_as(DataKind kind) {
  switch (kind) {
    case DataKind::logs:
      return TelemetryKind::log;
    case DataKind::metrics:
    case DataKind::events:
      return TelemetryKind::metric;
    case DataKind::executions:
    case DataKind::chunks:
    case DataKind::diagrams:
      break;
  }
  return TelemetryKind::execution;
}

// Of an environment that nobody knows just now what holds without its own wishes.
async::Task<std::chrono::hours> retention_of(Services& services, std::string slug, DataKind kind) {
  const auto found = co_await known_environment(services.environments, services.database, std::move(slug));
  const auto kept =
      services.retention_policy.effective(found ? wished_days_of(*found) : WishedDays{})[kept_as(kind)].days;
  // What the tables would delete again is not taken: a raised retention counts here once it has reached them.
  const auto deleted = found ? services.retention.deleted_after(kept_as(kind), found->data_name) : std::nullopt;
  co_return deleted ? std::min(kept, *deleted) : kept;
}

// A name that no other process has.
std::string process_name(const Random& random) {
  std::array<std::byte, 16> bytes{};
  random(bytes);
  std::string name;
  for (const auto byte : bytes) name += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  return name;
}

async::Task<Expected<void>> ping(postgres::Pool& postgres, DatabaseWatch& database) {
  auto answer = co_await postgres.ping();
  database.note(answer.has_value());
  co_return answer;
}

// Commands by what became of them, and the streams that bring them.
void add_command_metrics(Metrics& metrics, const CommandService& commands) {
  using command::State;
  using command::Type;
  metrics.observe("cameleer_command_streams", "Command streams of agents open here", {},
                  [&commands] { return static_cast<double>(commands.open_streams()); });
  for (const auto type : {Type::config_update, Type::deep_trace, Type::replay, Type::set_traced_processors,
                          Type::test_expression, Type::route_control}) {
    for (const auto state : {State::acknowledged, State::failed, State::expired}) {
      metrics.observe_total("cameleer_commands_settled_total", "Commands by type and final state",
                            {{"type", std::string(name_of(type))}, {"state", std::string(name_of(state))}},
                            [&commands, type, state] { return static_cast<double>(commands.settled(type, state)); });
    }
  }
}

std::vector<std::byte> bytes_of(const std::string& key) {
  const auto bytes = std::as_bytes(std::span(key));
  return {bytes.begin(), bytes.end()};
}

void add_provider_session_metrics(Metrics& metrics, const ProviderSessions& sessions) {
  using Result = ProviderSessions::Result;
  metrics.observe("cameleer_oidc_provider_up", "Whether the OpenID provider answered when a session was last renewed",
                  {}, [&sessions] { return sessions.provider_answers() ? 1.0 : 0.0; });
  for (const auto& [name, result] : {std::pair{"renewed", Result::renewed}, std::pair{"refused", Result::refused},
                                     std::pair{"failed", Result::failed}}) {
    metrics.observe_total("cameleer_oidc_session_renewals_total", "Renewals of sessions at the OpenID provider",
                          {{"result", name}},
                          [&sessions, result] { return static_cast<double>(sessions.count(result)); });
  }
}

void add_oidc_metrics(Metrics& metrics, const ProviderTokens& tokens) {
  metrics.observe_total("cameleer_oidc_requests_total", "Requests let in with a token of the OpenID provider", {},
                        [&tokens] { return static_cast<double>(tokens.accepted()); });
  for (const auto& reason : refusal_reasons()) {
    metrics.observe_total("cameleer_oidc_refused_total", "Tokens of an OpenID provider that were refused",
                          {{"reason", reason}}, [&tokens, reason] {
                            const auto found = tokens.refused().find(reason);
                            return found == tokens.refused().end() ? 0.0 : static_cast<double>(found->second);
                          });
  }
}

}  // namespace

std::optional<JournaledWriter::Options> journal_options(const Settings& settings) {
  const std::filesystem::path data(settings.data_directory);
  const std::filesystem::path elsewhere(settings.ingest.journal_directory);
  JournaledWriter::Options options{.directory = elsewhere.empty() ? data / "journal" : elsewhere,
                                   .tenant = settings.tenant_id,
                                   .rejected = data / "rejected",
                                   .capacity = settings.ingest.journal_bytes};
  if (settings.ingest.acknowledge_after != "journal" && !JournaledWriter::exists(options)) return std::nullopt;
  return options;
}

std::string store_name_of(std::string_view tenant) {
  return "tenant_" + std::string(tenant);
}

Services::Services(async::Executor executor, const Settings& settings, const StoreAddresses& addresses,
                   identity::Keys root_keys, LicenseKeyRing license_keys, Clock clock, Random random)
    : keys(std::move(root_keys)),
      workers(std::max(1u, std::thread::hardware_concurrency()), 1'024),
      postgres(executor, {.conninfo = addresses.postgres_conninfo, .schema = store_name_of(settings.tenant_id)}),
      database(clock, settings.security.outage_grace),
      clickhouse(executor, {.url = addresses.clickhouse_url,
                            .user = addresses.clickhouse_user,
                            .password = addresses.clickhouse_password,
                            .database = store_name_of(settings.tenant_id),
                            .compress = !addresses.clickhouse_is_local}),
      audit(postgres, clock),
      audit_ledger(postgres, audit_key_of(keys), clock),
      key_rotation(postgres, audit, keys, random, oidc_sealed_columns()),
      caps(license_gate, audit, clock),
      license(postgres, workers, audit, license_gate, clock,
              {.tenant_id = settings.tenant_id,
               .token = settings.license.token,
               .file = settings.license.file,
               .zone = local_zone(),
               .keys = std::move(license_keys)}),
      retention_policy(license_gate, settings.ingest.retention),
      retention(executor, postgres, clickhouse, retention_policy, clock, settings.deletion_delay),
      environments(postgres, audit, clock, random,
                   {.bootstrap_token = settings.security.bootstrap_token,
                    .bootstrap_token_previous = settings.security.previous_bootstrap_token,
                    .bootstrap_environment = settings.security.bootstrap_environment,
                    .key_grace = settings.security.api_key_grace,
                    .caps = &caps,
                    .retention = &retention_policy}),
      telemetry_removal(postgres, clickhouse, clock, settings.tenant_id),
      tokens(keys, postgres, clock, random, {.issuer = "cameleer-server:" + settings.tenant_id}),
      auth(postgres, audit, workers, tokens, clock, random,
           {.session_idle = settings.security.session_idle,
            .session_life = settings.security.session_absolute,
            .database_lost = [this] { return !database.reached(); }}),
      users(postgres, workers, auth, audit, clock, random,
            {.local_accounts = [local = settings.local_login] { return local; }, .caps = &caps}),
      roles(postgres, auth, audit, clock, random),
      groups(postgres, auth, audit, clock, random),
      assignments(postgres, auth, audit, clock),
      sessions(postgres, auth, audit, clock, settings.security.session_idle),
      claim_mappings(postgres, auth, audit, clock, random, [this] { return oidc.claim_policy(); }),
      oidc_store(postgres, audit, &caps),
      oidc(oidc_store, keys, make_provider_fetch(executor, settings.oidc_ca_file), clock, random, settings.oidc),
      provider_users(oidc_store, claim_mappings, clock, random, !settings.local_login),
      provider_tokens(oidc, provider_users, auth, audit, clock),
      provider_session_store(postgres, audit),
      provider_sessions(oidc, provider_session_store, provider_users, provider_tokens, auth, keys, clock, random,
                        !settings.local_login),
      oidc_login(oidc, oidc_store, provider_users, provider_tokens, provider_sessions, auth, audit, keys, clock,
                 random),
      agents(postgres, tokens, environments, keys, clock,
             {.registry = {.heartbeat_interval = settings.agents.heartbeat_interval,
                           .stale_after = settings.agents.stale_after,
                           .dead_after = settings.agents.dead_after},
              .base_path = settings.http.base_path,
              .tenant_id = settings.tenant_id,
              .config_of =
                  [this](std::string environment, std::string application) {
                    return configuration.envelope(std::move(environment), std::move(application),
                                                  ConfigurationService::Which::latest);
                  },
              .caps = &caps}),
      configuration(postgres, audit, environments, agents, clock),
      commands(executor, postgres, audit, agents, environments, workers, keys,
               [this](std::string environment, std::string application) {
                 return configuration.envelope(std::move(environment), std::move(application),
                                               ConfigurationService::Which::applied);
               },
               clock, random,
               {.tenant_id = settings.tenant_id,
                .expiry = settings.agents.command_expiry,
                .ack_wait = settings.agents.command_wait}),
      ingest(executor, clickhouse, workers, clock,
             {.tenant = settings.tenant_id,
              .retention = settings.ingest.retention,
              .retention_of = [this](std::string environment,
                                     DataKind kind) { return retention_of(*this, std::move(environment), kind); },
              .body_bytes = settings.ingest.captured_body_bytes,
              .sensitive_keys_of =
                  [this](std::string environment, std::string application) {
                    return configuration.sensitive_keys_of(std::move(environment), std::move(application));
                  },
              .journal = journal_options(settings),
              .acknowledge_stored = settings.ingest.acknowledge_after != "journal"}),
      executions(clickhouse, [this](std::string slug) { return readable_environment(*this, std::move(slug)); }, clock,
                 {.tenant = settings.tenant_id,
                  .cursor_key = bytes_of(keys.cursors().bytes),
                  .stale_after = settings.ingest.running_stale_after}),
      rollups(postgres, clickhouse, clock,
              [this, clock, setting = settings.ingest.retention](std::string_view data_name) {
                return retention.stored_since(TelemetryKind::execution, data_name).value_or(clock() - setting);
              },
              {.tenant = settings.tenant_id, .holder = process_name(random), .delay = settings.rollups.delay}),
      health(clock),
      server_metrics(executor, clickhouse, clock,
                     {.tenant = settings.tenant_id,
                      .instance = settings.self_metrics.instance_id,
                      .interval = settings.self_metrics.interval}),
      store_watch(clickhouse) {
  configuration.on_change([this](std::string environment, std::string application, std::string username) {
    return commands.push_config(std::move(environment), std::move(application), std::move(username));
  });
  health.watch("postgres", [this] { return ping(postgres, database); });
  health.watch("clickhouse", [this] { return clickhouse.ping(); });
  add_ingest_health(health, ingest, clock);
  license.on_change([this](const LicenseChange&) { retention.look(); });
  health.warn_of([this] { return retention.warnings(); });
}

std::string_view openapi_document() {
  return embedded::openapi().front().content;
}

Expected<void> add_routes(Services& services, const Settings& settings) {
  auto& router = services.router;
  add_telemetry_routes(router, services.health, services.metrics);
  add_auth_routes(router, services.auth, OriginRule(settings.http.public_url),
                  {.version = std::string(kVersion),
                   .base_path = settings.http.base_path,
                   .local_login = settings.local_login,
                   .oidc = [&services] { return services.oidc.people_can_sign_in(); }});
  add_oidc_routes(router, services.oidc_login,
                  {.public_url = settings.http.public_url, .base_path = settings.http.base_path});
  add_oidc_admin_routes(router, services.oidc);
  add_user_routes(router, services.users);
  add_assignment_routes(router, services.assignments);
  add_session_routes(router, services.sessions);
  add_role_routes(router, services.roles);
  add_group_routes(router, services.groups);
  add_claim_mapping_routes(router, services.claim_mappings);
  add_environment_routes(router, services.environments);
  add_agent_routes(router, services.agents);
  add_configuration_routes(router, services.configuration);
  add_command_routes(router, services.commands);
  add_ingest_routes(
      router, services.ingest,
      {.body_bytes = settings.ingest.request_bytes, .decoded_body_bytes = settings.ingest.request_bytes * 4});
  add_executions_routes(router, services.executions);
  add_audit_routes(router, services.audit_ledger);
  add_license_routes(router, services.license);
  add_server_metrics_routes(router, services.server_metrics);
  add_openapi_route(router, openapi_document());
  add_asset_routes(router, embedded::user_interface(), settings.http.base_path);
  if (auto sealed = router.seal(); !sealed) return sealed;
  return check_access_names(router);
}

void add_metrics(Services& services, const web::Server& http, const Log& log) {
  auto& metrics = services.metrics;
  metrics.observe("cameleer_http_connections", "Open HTTP connections", {},
                  [&http] { return static_cast<double>(http.counters().connections); });
  metrics.observe_total("cameleer_http_refused_requests_total", "Requests refused before a route saw them", {},
                        [&http] { return static_cast<double>(http.counters().refused_requests); });
  metrics.observe_total("cameleer_http_timeouts_total", "Connections ended for being too slow", {},
                        [&http] { return static_cast<double>(http.counters().timeouts); });
  metrics.observe("cameleer_agents_known", "Agents held in memory", {},
                  [&services] { return static_cast<double>(services.agents.known()); });
  add_command_metrics(metrics, services.commands);
  metrics.observe("cameleer_environment_removals_waiting", "Removed environments with telemetry left to delete", {},
                  [&services] { return static_cast<double>(services.telemetry_removal.waiting()); });
  metrics.observe("cameleer_workers_waiting", "Pieces of work with the worker pool", {},
                  [&services] { return static_cast<double>(services.workers.waiting()); });
  metrics.observe_total("cameleer_log_lines_dropped_total", "Log lines dropped because their reader was too slow", {},
                        [&log] { return static_cast<double>(log.dropped()); });
  add_ingest_metrics(metrics, services.ingest);
  add_oidc_metrics(metrics, services.provider_tokens);
  add_license_metrics(metrics, services.license, services.caps);
  add_retention_metrics(metrics, services.retention);
  add_rollup_metrics(metrics, services.rollups);
  add_provider_session_metrics(metrics, services.provider_sessions);
  add_server_metrics_metrics(metrics, services.server_metrics);
  add_process_metrics(metrics, services.server_metrics.now());
  for (const auto& dependency : services.health.dependencies()) {
    metrics.observe("cameleer_dependency_up", "1 while the dependency answers", {{"dependency", dependency.name}},
                    [&dependency] { return dependency.up ? 1.0 : 0.0; });
  }
  metrics.observe("cameleer_health_warnings", "Warnings that readiness shows", {},
                  [&services] { return static_cast<double>(services.health.warnings().size()); });
}

}  // namespace cameleer::server
