#pragma once
#include <cameleer/identity/keys.hpp>
#include <cameleer/web/server.hpp>

#include "server/agents/agent_service.hpp"
#include "server/audit/audit_ledger.hpp"
#include "server/audit/audit_service.hpp"
#include "server/auth/auth_service.hpp"
#include "server/auth/authorizer.hpp"
#include "server/auth/database_watch.hpp"
#include "server/auth/key_rotation.hpp"
#include "server/claim_mappings/claim_mapping_service.hpp"
#include "server/commands/command_service.hpp"
#include "server/configuration/configuration_service.hpp"
#include "server/environments/telemetry_removal.hpp"
#include "server/executions/executions_service.hpp"
#include "server/ingest/ingest_service.hpp"
#include "server/license/license_enforcer.hpp"
#include "server/license/license_service.hpp"
#include "server/license/license_trust.hpp"
#include "server/oidc/oidc_login.hpp"
#include "server/retention/retention_service.hpp"
#include "server/rollups/rollup_service.hpp"
#include "server/server_metrics/server_metrics_service.hpp"
#include "server/server_metrics/store_watch.hpp"
#include "server/settings/settings.hpp"
#include "server/telemetry/health.hpp"
#include "server/telemetry/log.hpp"
#include "server/telemetry/metrics.hpp"
#include "server/users/assignment_service.hpp"
#include "server/users/group_service.hpp"
#include "server/users/role_service.hpp"
#include "server/users/session_service.hpp"
#include "server/users/user_service.hpp"

namespace cameleer::server {

/// Where the stores are: from the settings, or from the embedded engines.
struct StoreAddresses {
  std::string postgres_conninfo = {};
  std::string clickhouse_url = {};
  std::string clickhouse_user = {};
  std::string clickhouse_password = {};
  bool clickhouse_is_local = true;  ///< bodies are compressed to a remote one only
};

/// The journal before the store. None: data is acknowledged when it is stored, and no earlier process left a journal
/// with what is still to be delivered.
std::optional<JournaledWriter::Options> journal_options(const Settings& settings);

/// The stores, the features and the router over them, in the order they need each other. Building them connects to
/// nothing.
struct Services {
  Services(async::Executor executor, const Settings& settings, const StoreAddresses& addresses, identity::Keys keys,
           LicenseKeyRing license_keys, Clock clock, Random random);

  identity::Keys keys;
  async::WorkerPool workers;
  postgres::Pool postgres;
  DatabaseWatch database;
  clickhouse::Client clickhouse;
  AuditService audit;
  AuditLedger audit_ledger;
  KeyRotation key_rotation;
  LicenseGate license_gate;
  LicenseEnforcer caps;
  LicenseService license;
  RetentionPolicy retention_policy;
  RetentionService retention;
  EnvironmentService environments;
  TelemetryRemoval telemetry_removal;
  TokenService tokens;
  AuthService auth;
  UserService users;
  RoleService roles;
  GroupService groups;
  AssignmentService assignments;
  SessionService sessions;
  ClaimMappingService claim_mappings;
  OidcStore oidc_store;
  OidcConfigurationService oidc;
  ProviderUsers provider_users;
  ProviderTokens provider_tokens;
  ProviderSessionStore provider_session_store;
  ProviderSessions provider_sessions;
  OidcLogin oidc_login;
  AgentService agents;
  ConfigurationService configuration;
  CommandService commands;
  IngestService ingest;
  ExecutionsService executions;
  RollupService rollups;
  Health health;
  Metrics metrics;
  ServerMetricsService server_metrics;
  StoreWatch store_watch;
  web::Router router;
};

/// Adds every route of the server and seals the table: fails when one has no access name, or one nobody understands.
Expected<void> add_routes(Services& services, const Settings& settings);

/// The OpenAPI document that the build embedded, as JSON.
std::string_view openapi_document();

/// Figures that are asked for at each scrape.
void add_metrics(Services& services, const web::Server& http, const Log& log);

/// Schema or database of a tenant.
std::string store_name_of(std::string_view tenant);

}  // namespace cameleer::server
