#pragma once
#include <cameleer/core/error.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cameleer::server {

/// Everything that can be set, as the program uses it. One row of `setting_table()` fills each member.
struct Settings {
  std::string tenant_id;

  struct Http {
    std::string address;
    std::uint16_t port = 0;
    std::string public_url;  ///< empty: the Host of each request
    std::string base_path;   ///< begins and ends with `/`
    std::vector<std::string> trusted_proxies;
    std::string tls_certificate_file, tls_key_file;
    std::size_t max_connections = 0;
  } http;

  std::string data_directory;

  struct Stores {
    std::string postgres_url;    ///< empty: the embedded one
    std::string clickhouse_url;  ///< empty: the embedded one
    std::string clickhouse_user, clickhouse_password;
  } stores;

  struct Engines {
    std::string postgres_bin_directory;  ///< empty: found in /usr/lib/postgresql/15/bin
    std::string clickhouse_program;      ///< empty: cameleer-clickhouse beside this program
    std::string clickhouse_library;      ///< libchdb.so
    std::size_t clickhouse_memory_bytes = 0;
  } engines;

  struct Security {
    std::string master_key, previous_master_key;  ///< 32 bytes, or empty
    std::string admin_password;
    bool recover_admin = false;
    std::string bootstrap_token, previous_bootstrap_token, bootstrap_environment;
    std::chrono::hours api_key_grace{};
    std::chrono::minutes session_idle{}, session_absolute{};
    std::chrono::seconds outage_grace{};
  } security;
  bool local_login = true;

  /// What the settings say of the OpenID provider. A member without a value is an administrator's to set.
  struct Oidc {
    std::optional<std::string> issuer_uri, audience, discovery_url, client_id, client_secret;
    std::optional<std::string> client_authentication;  ///< `basic` or `post`
    std::optional<std::string> scope, roles_claim, display_name_claim;
    std::optional<std::vector<std::string>> default_roles, m2m_client_ids;
    std::optional<std::map<std::string, std::string>> required_claims, token_parameters;
    std::optional<bool> strict, auto_signup, user_info;
  } oidc;
  std::string oidc_ca_file;  ///< empty: the system's authorities

  struct License {
    std::string token, file;              ///< empty: none
    std::string public_key, public_keys;  ///< as given
  } license;

  struct Agents {
    std::chrono::milliseconds heartbeat_interval{};
    std::chrono::milliseconds stale_after{}, dead_after{};
    std::chrono::milliseconds command_expiry{}, command_wait{};
  } agents;

  struct Ingest {
    std::chrono::days retention{};
    std::size_t request_bytes = 0;        ///< of one request body, as received
    std::size_t captured_body_bytes = 0;  ///< stored of one body; the rest is cut and flagged
    std::chrono::seconds running_stale_after{};
    std::string acknowledge_after;    ///< `journal` or `clickhouse`
    std::uint64_t journal_bytes = 0;  ///< room for what waits for the store
    std::string journal_directory;    ///< empty: within the data directory
  } ingest;

  struct Rollups {
    std::chrono::seconds delay{};  ///< from a row's arrival until it is rolled up
  } rollups;

  std::chrono::days deletion_delay{};  ///< of telemetry beyond a lowered retention

  /// The server's own figures, kept in the store.
  struct SelfMetrics {
    std::string instance_id;               ///< empty: host name and port
    std::chrono::milliseconds interval{};  ///< zero: off
  } self_metrics;

  std::string log_level;
};

/// One setting: the single source of the flag, the environment variable, the file's key, `--help` and docs/settings.md.
struct SettingRow {
  std::string_view name;           ///< `cameleer.server.http.listen`
  std::string_view default_value;  ///< as one would write it
  std::string_view rule;           ///< what a valid value is, with its unit
  std::string_view purpose;
  bool secret = false;  ///< never printed
  Expected<void> (*apply)(Settings&, std::string_view value) = nullptr;
  std::string_view alias = {};  ///< a second name that works
};
std::span<const SettingRow> setting_table();

/// `CAMELEER_SERVER_HTTP_LISTEN`.
std::string environment_variable_of(std::string_view name);
/// `--http.listen`: the name without `cameleer.server.`.
std::string flag_of(std::string_view name);

/// What was given, by setting name. A flag wins over the environment, the environment over the file, the file over the
/// default.
struct SettingSources {
  std::map<std::string, std::string, std::less<>> flags, environment, file;
};

/// Reads a TOML file into name → text. Unknown names, tables where a value belongs and bad syntax are errors with the
/// line.
Expected<std::map<std::string, std::string, std::less<>>> read_settings_file(const std::string& path);
/// The variables of `environment` (NAME=value) that are settings or aliases. An unknown `CAMELEER_SERVER_…` variable is
/// an error: a mistyped setting must not be a silent default.
Expected<std::map<std::string, std::string, std::less<>>> read_environment(const char* const* environment);

/// Applies every row; the first wrong value is `bad_configuration` with the setting's name in `member`, its rule in
/// `message`, never a secret's value.
Expected<Settings> resolve_settings(const SettingSources& sources);

/// docs/settings.md.
std::string settings_as_markdown();

}  // namespace cameleer::server
