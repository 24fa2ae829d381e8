#include <openssl/evp.h>
#include <re2/re2.h>

#include <boost/json/parse.hpp>
#include <charconv>

#include "server/settings/settings.hpp"

namespace cameleer::server {
namespace {

using std::string_view;

std::unexpected<Error> wrong() {
  return fail(ErrorCode::bad_configuration, {});
}

template <class Number>
std::optional<Number> number_between(string_view text, Number low, Number high) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < low || value > high) return std::nullopt;
  return value;
}

Expected<void> set_number(auto& target, string_view text, std::int64_t low, std::int64_t high, std::int64_t scale = 1) {
  const auto value = number_between<std::int64_t>(text, low, high);
  if (!value) return wrong();
  target = static_cast<std::remove_reference_t<decltype(target)>>(*value * scale);
  return {};
}

template <class Duration>
Expected<void> set_duration(Duration& target, string_view text, std::int64_t low, std::int64_t high, auto unit) {
  const auto value = number_between<std::int64_t>(text, low, high);
  if (!value) return wrong();
  target = std::chrono::duration_cast<Duration>(decltype(unit)(*value));
  return {};
}

Expected<void> set_matching(std::string& target, string_view text, const char* pattern) {
  if (!RE2::FullMatch(re2::StringPiece(text.data(), text.size()), pattern)) return wrong();
  target = text;
  return {};
}

Expected<void> set_listen(Settings& settings, string_view text) {
  const auto colon = text.rfind(':');
  if (colon == string_view::npos || colon == 0) return wrong();
  auto address = text.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  const auto port = number_between<unsigned>(text.substr(colon + 1), 0, 65535);
  if (!port || address.empty()) return wrong();
  settings.http.address = address;
  settings.http.port = static_cast<std::uint16_t>(*port);
  return {};
}

Expected<void> set_base_path(Settings& settings, string_view text) {
  if (auto set = set_matching(settings.http.base_path, text, R"(/|(/[A-Za-z0-9._~-]+)+/?)"); !set) return set;
  if (!settings.http.base_path.ends_with('/')) settings.http.base_path += '/';
  return {};
}

Expected<void> set_list(std::vector<std::string>& target, string_view text) {
  target.clear();
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    auto item = text.substr(0, comma);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (item.empty()) return wrong();
    target.emplace_back(item);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return {};
}

Expected<void> set_master_key(std::string& target, string_view text) {
  if (text.empty()) return {};
  std::string decoded(text.size(), '\0');
  const int length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(decoded.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  // EVP_DecodeBlock counts the padding as bytes: 32 bytes come as 44 characters with one `=`.
  if (text.size() != 44 || !text.ends_with('=') || length != 33) return wrong();
  target = decoded.substr(0, 32);
  return {};
}

Expected<void> set_boolean(bool& target, string_view text) {
  if (text != "true" && text != "false") return wrong();
  target = text == "true";
  return {};
}

Expected<void> set_text(std::string& target, string_view text) {
  if (text.find('\0') != string_view::npos || text.size() > 4096) return wrong();
  target = text;
  return {};
}

/// Whatever it is: a licence that is none must not keep the server from starting, and keys are read later.
Expected<void> set_license_text(std::string& target, string_view text) {
  target = text;
  return {};
}

/// Empty leaves the value open.
Expected<void> set_optional(std::optional<std::string>& target, string_view text, const char* pattern) {
  if (text.empty()) return {};
  if (text.find('\0') != string_view::npos || text.size() > 2'048) return wrong();
  return set_matching(target.emplace(), text, pattern);
}

Expected<void> set_optional(std::optional<std::vector<std::string>>& target, string_view text) {
  return text.empty() ? Expected<void>() : set_list(target.emplace(), text);
}

Expected<void> set_optional(std::optional<bool>& target, string_view text) {
  return text.empty() ? Expected<void>() : set_boolean(target.emplace(), text);
}

/// A JSON object of texts.
Expected<void> set_optional(std::optional<std::map<std::string, std::string>>& target, string_view text) {
  if (text.empty()) return {};
  boost::system::error_code error;
  const auto value = boost::json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object() || value.get_object().size() > 20) return wrong();
  auto& map = target.emplace();
  for (const auto& [name, member] : value.get_object()) {
    if (!member.is_string() || name.empty() || name.size() > 256 || member.get_string().size() > 1'024) return wrong();
    map.emplace(name, member.get_string());
  }
  return {};
}

constexpr const char* kHttpUrl = R"(https?://[A-Za-z0-9.\[\]:-]+(/[^\s?#\\]*)?)";
constexpr const char* kLine = R"([^\x00-\x1f\x7f]+)";
constexpr const char* kSlug = "[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?";
using S = Settings;
using V = string_view;

// clang-format off
constexpr SettingRow kTable[] = {
  {"cameleer.server.tenant-id", "default", "^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$",
   "The tenant this server serves: its PostgreSQL schema and ClickHouse database are tenant_<id>.", false,
   [](S& s, V v) { return set_matching(s.tenant_id, v, kSlug); }, "cameleer.tenant-id"},
  {"cameleer.server.data-dir", "/var/lib/cameleer", "an absolute path, writable by this user",
   "Keys, the first-start file and the embedded engines' data.", false,
   [](S& s, V v) { return v.starts_with('/') ? set_text(s.data_directory, v) : Expected<void>(wrong()); }},

  {"cameleer.server.http.listen", "0.0.0.0:8081", "address:port, IPv6 in brackets; port 0 takes a free one",
   "Where the server listens.", false, &set_listen},
  {"cameleer.server.http.public-url", "", "empty, or http(s)://host[:port] without a path",
   "The address browsers use; mutations with a cookie must come from this origin.", false,
   [](S& s, V v) { return set_matching(s.http.public_url, v, R"(|https?://[A-Za-z0-9.\[\]:-]+)"); }},
  {"cameleer.server.http.base-path", "/", "a path of unreserved characters", "Prefix of every address.", false, &set_base_path},
  {"cameleer.server.http.trusted-proxies", "", "comma-separated addresses or CIDR blocks",
   "Only these may say X-Forwarded-For and X-Forwarded-Proto.", false,
   [](S& s, V v) { return set_list(s.http.trusted_proxies, v); }},
  {"cameleer.server.http.tls.cert", "", "empty, or a PEM file", "Certificate chain; with the key: HTTPS.", false,
   [](S& s, V v) { return set_text(s.http.tls_certificate_file, v); }},
  {"cameleer.server.http.tls.key", "", "empty, or a PEM file", "Private key of the certificate.", false,
   [](S& s, V v) { return set_text(s.http.tls_key_file, v); }},
  {"cameleer.server.http.max-connections", "10000", "1 to 1000000 connections", "Open connections; more wait in the kernel.", false,
   [](S& s, V v) { return set_number(s.http.max_connections, v, 1, 1'000'000); }},

  {"cameleer.server.postgres.url", "", "empty, or a libpq URI or conninfo", "The PostgreSQL to use; empty: an embedded one.", true,
   [](S& s, V v) { return set_text(s.stores.postgres_url, v); }},
  {"cameleer.server.clickhouse.url", "", "empty, or http(s)://host:port", "The ClickHouse (26.7 or newer) to use; empty: an embedded one.", false,
   [](S& s, V v) { return set_matching(s.stores.clickhouse_url, v, R"(|https?://[A-Za-z0-9.\[\]-]+(:[0-9]{1,5})?/?)"); }},
  {"cameleer.server.clickhouse.user", "default", "text", "User at that ClickHouse.", false,
   [](S& s, V v) { return set_text(s.stores.clickhouse_user, v); }},
  {"cameleer.server.clickhouse.password", "", "text", "Password at that ClickHouse.", true,
   [](S& s, V v) { return set_text(s.stores.clickhouse_password, v); }},

  {"cameleer.server.engines.postgres-bin-dir", "", "empty, or a directory with postgres and initdb",
   "Programs of the embedded PostgreSQL; empty: Debian's.", false,
   [](S& s, V v) { return set_text(s.engines.postgres_bin_directory, v); }},
  {"cameleer.server.engines.clickhouse-program", "", "empty, or a path",
   "The embedded ClickHouse engine; empty: cameleer-clickhouse beside this program.", false,
   [](S& s, V v) { return set_text(s.engines.clickhouse_program, v); }},
  {"cameleer.server.engines.clickhouse-library", "", "empty, or the path of libchdb.so",
   "The engine's library; empty: libchdb.so beside this program.", false,
   [](S& s, V v) { return set_text(s.engines.clickhouse_library, v); }},
  {"cameleer.server.engines.clickhouse-memory-mb", "2048", "256 to 1048576 MiB", "Memory bound of the embedded engine.", false,
   [](S& s, V v) { return set_number(s.engines.clickhouse_memory_bytes, v, 256, 1'048'576, 1 << 20); }},

  {"cameleer.server.security.masterkey", "", "empty, or 32 bytes in base64",
   "Root of all keys; empty: <data-dir>/master.key, made at the first start.", true,
   [](S& s, V v) { return set_master_key(s.security.master_key, v); }},
  {"cameleer.server.security.masterkeyprevious", "", "empty, or 32 bytes in base64",
   "The key before the last rotation: still verifies and decrypts.", true,
   [](S& s, V v) { return set_master_key(s.security.previous_master_key, v); }},
  {"cameleer.server.security.adminpassword", "", "empty, or a password that meets the policy",
   "Password of the first user `admin`; empty: a random one, written to <data-dir>/first-start.txt.", true,
   [](S& s, V v) { return set_text(s.security.admin_password, v); }},
  {"cameleer.server.security.recover-admin", "false", "true or false; true needs cameleer.server.auth.local.enabled",
   "Break-glass: this start gives the local user `admin` a new password, in <data-dir>/first-start.txt, and the role ADMIN. Take it out afterwards.", false,
   [](S& s, V v) { return set_boolean(s.security.recover_admin, v); }},
  {"cameleer.server.security.bootstraptoken", "", "empty, or at least 16 characters", "Accepted for agent registration beside API keys.", true,
   [](S& s, V v) { return v.empty() || v.size() >= 16 ? set_text(s.security.bootstrap_token, v) : Expected<void>(wrong()); }},
  {"cameleer.server.security.bootstraptokenprevious", "", "empty, or at least 16 characters", "The bootstrap token before the last rotation.", true,
   [](S& s, V v) { return v.empty() || v.size() >= 16 ? set_text(s.security.previous_bootstrap_token, v) : Expected<void>(wrong()); }},
  {"cameleer.server.security.bootstrapenvironment", "default", "an environment's slug", "The one environment a bootstrap token is good for.", false,
   [](S& s, V v) { return set_matching(s.security.bootstrap_environment, v, "[a-z0-9][a-z0-9-]{0,63}"); }},
  {"cameleer.server.security.apikeygracehours", "24", "0 to 8760 hours", "A rotated API key counts for so long.", false,
   [](S& s, V v) { return set_duration(s.security.api_key_grace, v, 0, 8'760, std::chrono::hours()); }},
  {"cameleer.server.security.session-idle-minutes", "480", "1 to 43200 minutes", "A browser session ends after so long without a request.", false,
   [](S& s, V v) { return set_duration(s.security.session_idle, v, 1, 43'200, std::chrono::minutes()); }},
  {"cameleer.server.security.session-absolute-minutes", "1440", "1 to 43200 minutes", "A browser session ends so long after sign-in.", false,
   [](S& s, V v) { return set_duration(s.security.session_absolute, v, 1, 43'200, std::chrono::minutes()); }},
  {"cameleer.server.security.outage-grace-s", "60", "1 to 3600 s", "PostgreSQL unreachable for so long: people may change nothing until it is back.", false,
   [](S& s, V v) { return set_duration(s.security.outage_grace, v, 1, 3'600, std::chrono::seconds()); }},
  {"cameleer.server.auth.local.enabled", "true", "true or false", "Sign-in with a password of this server.", false,
   [](S& s, V v) { return set_boolean(s.local_login, v); }, "cameleer.auth.local.enabled"},

  {"cameleer.server.oidc.issuer-uri", "", "empty, or http(s)://host[:port][/path] exactly as the provider's tokens spell it",
   "The OpenID provider; with an audience its tokens are accepted. This and the following win over what an administrator stored.", false,
   [](S& s, V v) { return set_optional(s.oidc.issuer_uri, v, kHttpUrl); }, "cameleer.oidc.issuer-uri"},
  {"cameleer.server.oidc.audience", "", "text; must be set when the issuer is",
   "What access tokens must be for.", false,
   [](S& s, V v) { return set_optional(s.oidc.audience, v, kLine); }, "cameleer.oidc.audience"},
  {"cameleer.server.oidc.discovery-url", "", "empty, or http(s)://host[:port]/path",
   "Where the provider's description is; empty: at the issuer. For networks where the server sees another address than browsers.", false,
   [](S& s, V v) { return set_optional(s.oidc.discovery_url, v, kHttpUrl); }},
  {"cameleer.server.oidc.client-id", "", "text", "This server's name at the provider; with it people sign in there.", false,
   [](S& s, V v) { return set_optional(s.oidc.client_id, v, kLine); }},
  {"cameleer.server.oidc.client-secret", "", "text", "The client's secret; empty for a public client.", true,
   [](S& s, V v) { return set_optional(s.oidc.client_secret, v, kLine); }},
  {"cameleer.server.oidc.client-authentication", "", "empty, basic or post", "How the secret is sent; empty: basic.", false,
   [](S& s, V v) { return set_optional(s.oidc.client_authentication, v, "basic|post"); }},
  {"cameleer.server.oidc.scope", "", "scopes separated by spaces, openid among them", "What sign-in asks for; empty: openid profile email.", false,
   [](S& s, V v) { return set_optional(s.oidc.scope, v, R"((\S+ )*openid( \S+)*)"); }},
  {"cameleer.server.oidc.roles-claim", "", "a claim's name or path", "Claim with names of roles, such as realm_access.roles.", false,
   [](S& s, V v) { return set_optional(s.oidc.roles_claim, v, kLine); }},
  {"cameleer.server.oidc.default-roles", "", "comma-separated names of roles", "Given when rules, scopes and the roles claim give nothing; empty: VIEWER.", false,
   [](S& s, V v) { return set_optional(s.oidc.default_roles, v); }},
  {"cameleer.server.oidc.strict", "", "empty, true or false", "true: no entry for somebody whom no rule, scope or role fits; empty: false.", false,
   [](S& s, V v) { return set_optional(s.oidc.strict, v); }},
  {"cameleer.server.oidc.auto-signup", "", "empty, true or false", "Whether the first sign-in makes the user; empty: true. Always true without local sign-in.", false,
   [](S& s, V v) { return set_optional(s.oidc.auto_signup, v); }},
  {"cameleer.server.oidc.user-info", "", "empty, true or false", "Whether sign-in also asks the UserInfo endpoint for claims; empty: false.", false,
   [](S& s, V v) { return set_optional(s.oidc.user_info, v); }},
  {"cameleer.server.oidc.display-name-claim", "", "a claim's name or path", "Claim with the name to show; empty: name.", false,
   [](S& s, V v) { return set_optional(s.oidc.display_name_claim, v, kLine); }},
  {"cameleer.server.oidc.required-claims", "", "a JSON object of texts", "Claims that every access token must have with exactly these values, such as the organization.", false,
   [](S& s, V v) { return set_optional(s.oidc.required_claims, v); }},
  {"cameleer.server.oidc.token-parameters", "", "a JSON object of texts", "Sent along when sign-in asks for tokens: resource, organization_id, ….", false,
   [](S& s, V v) { return set_optional(s.oidc.token_parameters, v); }},
  {"cameleer.server.oidc.m2m-client-ids", "", "comma-separated client ids", "Programs whose own tokens may do everything; empty: none.", false,
   [](S& s, V v) { return set_optional(s.oidc.m2m_client_ids, v); }},
  {"cameleer.server.oidc.ca-file", "", "empty, or a PEM file", "Authorities that the provider's certificate is checked with; empty: the system's.", false,
   [](S& s, V v) { return set_text(s.oidc_ca_file, v); }},

  {"cameleer.server.license.token", "", "empty, or a licence token", "The licence; wins over the file and over one that was installed.", true,
   [](S& s, V v) { return set_license_text(s.license.token, v); }},
  {"cameleer.server.license.file", "/etc/cameleer/license.jwt", "empty, or a path", "A file with the licence, watched for change; wins over one that was installed.", false,
   [](S& s, V v) { return set_text(s.license.file, v); }},
  {"cameleer.server.license.publickey", "", "empty, or an Ed25519 public key: base64 of its X.509 SPKI, or PEM", "What licences must be signed with. In a build that carries keys, both settings of keys only narrow them.", false,
   [](S& s, V v) { return set_license_text(s.license.public_key, v); }},
  {"cameleer.server.license.publickeys", "", "empty, at most 8 keys separated by commas or as JSON, or the absolute path of a file with them", "The same for several keys, so that they can be changed without a gap.", false,
   [](S& s, V v) { return set_license_text(s.license.public_keys, v); }},

  {"cameleer.server.agents.heartbeat-interval-ms", "30000", "100 to 3600000 ms", "What agents are told at registration.", false,
   [](S& s, V v) { return set_duration(s.agents.heartbeat_interval, v, 100, 3'600'000, std::chrono::milliseconds()); }},
  {"cameleer.server.agents.stale-after-ms", "90000", "100 to 86400000 ms", "Without a heartbeat for so long a LIVE agent is STALE.", false,
   [](S& s, V v) { return set_duration(s.agents.stale_after, v, 100, 86'400'000, std::chrono::milliseconds()); }},
  {"cameleer.server.agents.dead-after-ms", "300000", "100 to 864000000 ms", "A STALE agent is DEAD after so long.", false,
   [](S& s, V v) { return set_duration(s.agents.dead_after, v, 100, 864'000'000, std::chrono::milliseconds()); }},
  {"cameleer.server.agents.command-expiry-ms", "60000", "1000 to 3600000 ms", "A command that no agent acknowledged for so long is EXPIRED.", false,
   [](S& s, V v) { return set_duration(s.agents.command_expiry, v, 1'000, 3'600'000, std::chrono::milliseconds()); }},
  {"cameleer.server.agents.command-wait-ms", "30000", "100 to 35000 ms", "What a caller of test-expression or replay waits for the agent.", false,
   [](S& s, V v) { return set_duration(s.agents.command_wait, v, 100, 35'000, std::chrono::milliseconds()); }},

  {"cameleer.server.ingest.retention-days", "30", "1 to 3650 days", "How long telemetry is kept where an environment says nothing of its own; a licence may cap it. Older data is refused as too_old.", false,
   [](S& s, V v) { return set_duration(s.ingest.retention, v, 1, 3'650, std::chrono::days()); }},
  {"cameleer.server.ingest.request-bytes", "16777216", "65536 to 268435456 bytes", "Largest body of one data request, as received.", false,
   [](S& s, V v) { return set_number(s.ingest.request_bytes, v, 65'536, 268'435'456); }},
  {"cameleer.server.ingest.captured-body-bytes", "65536", "0 to 1048576 bytes", "Stored of one message body; the rest is cut and flagged.", false,
   [](S& s, V v) { return set_number(s.ingest.captured_body_bytes, v, 0, 1'048'576); }},
  {"cameleer.server.ingest.ack", "journal", "journal or clickhouse", "When data is acknowledged: on disk in the journal of the data directory, or stored by the engine. Take clickhouse where the data directory does not outlive the server.", false,
   [](S& s, V v) { return set_matching(s.ingest.acknowledge_after, v, "journal|clickhouse"); }},
  {"cameleer.server.ingest.journal-bytes", "4294967296", "16777216 to 1099511627776 bytes", "Room in the journal for data that the store has not taken yet; a full journal refuses (503).", false,
   [](S& s, V v) { return set_number(s.ingest.journal_bytes, v, 16'777'216, 1'099'511'627'776); }},
  {"cameleer.server.ingest.journal-dir", "", "empty, or an absolute path, writable by this user", "Where the journals are; empty: <data-dir>/journal. Server processes of a tenant may share it: each has a journal of its own there, and takes over what a dead one left.", false,
   [](S& s, V v) { return v.empty() || v.starts_with('/') ? set_text(s.ingest.journal_directory, v) : Expected<void>(wrong()); }},
  {"cameleer.server.ingest.running-stale-after-s", "300", "1 to 864000 s", "A RUNNING execution without news for so long is shown INCOMPLETE.", false,
   [](S& s, V v) { return set_duration(s.ingest.running_stale_after, v, 1, 864'000, std::chrono::seconds()); }},
  {"cameleer.server.rollups.delay-s", "90", "1 to 3600 s", "Rows are rolled up so long after they arrived: longer than the store takes for any insert.", false,
   [](S& s, V v) { return set_duration(s.rollups.delay, v, 1, 3'600, std::chrono::seconds()); }},

  {"cameleer.server.retention.deletion-delay-days", "7", "0 to 365 days", "Telemetry beyond a lowered retention is hidden at once and deleted after so long; until then it shows again when the retention is raised.", false,
   [](S& s, V v) { return set_duration(s.deletion_delay, v, 0, 365, std::chrono::days()); }},

  {"cameleer.server.self-metrics.interval-ms", "30000", "0 (off), or 1000 to 3600000 ms", "How often the server keeps its own figures in server_metrics.", false,
   [](S& s, V v) { return v == "0" ? set_duration(s.self_metrics.interval, v, 0, 0, std::chrono::milliseconds())
                                   : set_duration(s.self_metrics.interval, v, 1'000, 3'600'000, std::chrono::milliseconds()); }},
  {"cameleer.server.instance-id", "", "empty, or 1 to 128 letters, digits, . _ : and -", "What this process is called in server_metrics; empty: host name and port. Two processes of a tenant never share it.", false,
   [](S& s, V v) { return set_matching(s.self_metrics.instance_id, v, "[A-Za-z0-9._:-]{0,128}"); }},

  {"cameleer.server.log.level", "info", "debug, info, warning or error", "Least severity of a log line.", false,
   [](S& s, V v) { return set_matching(s.log_level, v, "debug|info|warning|error"); }},
};
// clang-format on

}  // namespace

std::span<const SettingRow> setting_table() {
  return kTable;
}

}  // namespace cameleer::server
