#include "server/application.hpp"

#include <openssl/rand.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/host_name.hpp>
#include <cameleer/clickhouse/client.hpp>
#include <cameleer/identity/credential_text.hpp>
#include <cameleer/postgres/migrations.hpp>
#include <cstdlib>

#include "server/auth/admin_recovery.hpp"
#include "server/auth/agent_key_rule.hpp"
#include "server/version.hpp"

namespace cameleer::embedded {
std::span<const File> postgres_migrations();
std::span<const File> clickhouse_migrations();
}  // namespace cameleer::embedded

namespace cameleer::server {
namespace {

using namespace std::chrono_literals;

constexpr std::pair kOldestClickHouse{26, 7};

/// Worth another try: the store is down or slow, nothing is wrong with what was asked.
bool is_passing(const Error& error) {
  return error.code == ErrorCode::unavailable || error.code == ErrorCode::upstream_timeout ||
         error.code == ErrorCode::overloaded;
}

/// Operations that answer while the stores are not ready yet.
bool needs_no_store(const web::Route& route) {
  return route.access.name == "public" &&
         (route.operation_id.empty() || route.operation_id.starts_with("health") || route.operation_id == "metrics" ||
          route.operation_id == "openapi" || route.operation_id == "authCapabilities");
}

async::Task<Expected<void>> refuse_at_start() {
  co_return fail(ErrorCode::unavailable, "The server is starting: its stores are not ready yet.");
}

}  // namespace

Clock system_clock() {
  return [] { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); };
}

Random system_random() {
  return [](std::span<std::byte> bytes) {
    if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) != 1) std::abort();
  };
}

Application::Application(async::Executor executor, Settings settings, DataDirectory data, identity::Keys keys, Log& log)
    : executor_(executor), settings_(std::move(settings)), data_(std::move(data)), keys_(std::move(keys)), log_(log) {}

Application::~Application() = default;

async::Task<Expected<void>> Application::start() {
  const auto addresses = co_await start_engines();
  if (!addresses) co_return std::unexpected(addresses.error());
  auto license_keys = find_license_keys();
  if (!license_keys) co_return std::unexpected(license_keys.error());
  services_ = std::make_unique<Services>(executor_, settings_, *addresses, keys_, std::move(*license_keys),
                                         system_clock(), system_random());
  services_->license.on_change(note_license());
  services_->retention.on_event(note_retention());
  services_->health.on_change(note_dependency());
  services_->ingest.on_unusable_journal(note_journal());
  if (auto opened = co_await services_->ingest.open(); !opened) co_return opened;
  if (auto opened = open_http(); !opened) co_return opened;
  async::asio::co_spawn(executor_, services_->health.run(), async::asio::detached);
  while (!stopping_) {
    const auto prepared = co_await prepare_stores();
    if (prepared) break;
    if (!is_passing(prepared.error())) co_return prepared;
    log_.warning("stores_not_ready", {{"reason", prepared.error().message}});
    co_await async::sleep_for(executor_, 2s);
  }
  stores_ready_ = true;
  services_->health.started();
  spawn_duties();
  log_.info("started", {{"version", kVersion},
                        {"tenant", settings_.tenant_id},
                        {"address", settings_.http.address},
                        {"port", http_->port()}});
  co_return Expected<void>{};
}

async::Task<Expected<StoreAddresses>> Application::start_engines() {
  StoreAddresses addresses{.postgres_conninfo = settings_.stores.postgres_url,
                           .clickhouse_url = settings_.stores.clickhouse_url,
                           .clickhouse_user = settings_.stores.clickhouse_user,
                           .clickhouse_password = settings_.stores.clickhouse_password,
                           .clickhouse_is_local = settings_.stores.clickhouse_url.empty()};
  const auto to_log = [this](std::string_view engine, std::string_view line) {
    log_.info("engine", {{"engine", engine}, {"line", line}});
  };
  if (addresses.postgres_conninfo.empty()) {
    engines::PostgresOptions options{.data_dir = (data_.path() / "postgres").string(), .on_log_line = to_log};
    if (!settings_.engines.postgres_bin_directory.empty()) options.bin_dir = settings_.engines.postgres_bin_directory;
    embedded_postgres_.emplace(executor_, std::move(options));
    auto conninfo = co_await embedded_postgres_->start();
    if (!conninfo) co_return std::unexpected(conninfo.error());
    addresses.postgres_conninfo = std::move(*conninfo);
  }
  if (addresses.clickhouse_url.empty()) {
    const auto beside = [](std::string_view name) {
      return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / name).string();
    };
    const auto& given = settings_.engines;
    embedded_clickhouse_.emplace(
        executor_,
        engines::ClickHouseOptions{
            .executable = given.clickhouse_program.empty() ? beside("cameleer-clickhouse") : given.clickhouse_program,
            .library = given.clickhouse_library.empty() ? beside("libchdb.so") : given.clickhouse_library,
            .data_dir = (data_.path() / "clickhouse").string(),
            .max_memory = given.clickhouse_memory_bytes,
            // The journal forgets what the engine has taken: it must be on disk by then.
            .durable = journal_options(settings_).has_value(),
            .on_log_line = to_log});
    auto endpoint = co_await embedded_clickhouse_->start();
    if (!endpoint) co_return std::unexpected(endpoint.error());
    addresses.clickhouse_url = endpoint->url;
    addresses.clickhouse_user = endpoint->user;
    addresses.clickhouse_password = endpoint->password;
  }
  co_return addresses;
}

Expected<LicenseKeyRing> Application::find_license_keys() {
  auto root = license_trust_root({.embedded = embedded_license_keys(),
                                  .public_key = settings_.license.public_key,
                                  .public_keys = settings_.license.public_keys});
  if (!root) return std::unexpected(root.error());
  for (const auto& warning : root->warnings) log_.warning("license_keys", {{"warning", warning}});
  return std::move(root->keys);
}

Health::Observer Application::note_dependency() {
  return [this](const Health::Dependency& dependency, const Error* reason) {
    log_.write(
        reason ? Log::Level::warning : Log::Level::info, reason ? "dependency_down" : "dependency_up",
        {{"dependency", dependency.name}, {"reason", reason ? std::string_view(reason->message) : std::string_view()}});
  };
}

RetentionService::Observer Application::note_retention() {
  return [this](const RetentionEvent& event) {
    if (event.refusal == nullptr) {
      return log_.info("retention_changed", {{"table", event.table}, {"durationMs", event.took.count()}});
    }
    log_.warning("retention_refused",
                 {{"table", event.table}, {"reason", event.refusal->error.message}, {"engine", event.refusal->text}});
  };
}

JournaledWriter::Observer Application::note_journal() {
  return [this](const std::filesystem::path& journal, std::string_view reason) {
    log_.warning("journal_unusable", {{"journal", journal.string()}, {"reason", reason}});
  };
}

LicenseService::Observer Application::note_license() {
  return [this](const LicenseChange& change) {
    const auto& now = *change.after;
    const bool is_loud = now.state == LicenseState::INVALID || now.state == LicenseState::EXPIRED;
    log_.write(is_loud ? Log::Level::warning : Log::Level::info, "license_changed",
               {{"state", name_of(now.state)},
                {"before", name_of(change.before->state)},
                {"source", name_of(change.source)},
                {"licenseId", now.license ? std::string_view(now.license->license_id) : std::string_view()},
                {"reason", now.rejection ? name_of(now.rejection->reason) : std::string_view()},
                {"message", now.rejection ? std::string_view(now.rejection->message) : std::string_view()}});
  };
}

Expected<void> Application::open_http() {
  if (auto added = add_routes(*services_, settings_); !added) return added;
  http_ = std::make_unique<web::Server>(
      executor_, services_->workers, services_->router, gate(), observer(),
      web::ServerOptions{
          .address = settings_.http.address,
          .port = settings_.http.port,
          .base_path = settings_.http.base_path,
          .tls_certificate_file = settings_.http.tls_certificate_file,
          .tls_key_file = settings_.http.tls_key_file,
          .max_connections = settings_.http.max_connections,
          .trusted_proxies = settings_.http.trusted_proxies,
          .on_exception =
              [this](const web::Request& request, std::string_view what) {
                log_.error("bug", {{"requestId", request.request_id},
                                   {"path", identity::without_credentials(request.path)},
                                   {"what", what}});
              },
          .refusal = [this](const Error& error,
                            std::string_view request_id) { return services_->caps.problem(error, request_id); }});
  add_metrics(*services_, *http_, log_);
  return http_->start();
}

web::Authorizer Application::gate() {
  auto by_access = make_authorizer(
      services_->auth, services_->tokens, services_->environments, OriginRule(settings_.http.public_url),
      {.foreign = &services_->provider_tokens, .own = settings_.local_login, .sessions = &services_->provider_sessions},
      &services_->database);
  auto authorize = with_agent_key_rule(std::move(by_access), services_->keys);
  return [this, authorize = std::move(authorize)](web::Request& request, const web::Route& route) {
    return stores_ready_ || needs_no_store(route) ? authorize(request, route) : refuse_at_start();
  };
}

web::Observer Application::observer() {
  return [this](const web::Request& request, const web::Route* route, int status, std::size_t bytes,
                std::chrono::nanoseconds elapsed) {
    services_->metrics.count_request(route, status, elapsed);
    // A probe of a server that is not ready is no error of the server, nor is an agent that leaves a command
    // unanswered.
    const bool is_error = status >= 500 && !(route && route->operation_id == "healthReady");
    const auto level = status == 504 ? Log::Level::warning : is_error ? Log::Level::error : Log::Level::debug;
    log_.write(level, "request",
               {{"requestId", request.request_id},
                {"method", web::name_of(request.method)},
                {"path", identity::without_credentials(request.path)},
                {"operation", route ? std::string_view(route->operation_id) : std::string_view()},
                {"status", status},
                {"bytes", bytes},
                {"durationMs", std::chrono::duration<double, std::milli>(elapsed).count()},
                {"remoteAddress", request.remote_address}});
  };
}

async::Task<Expected<void>> Application::prepare_stores() {
  if (auto prepared = co_await prepare_postgres(); !prepared) co_return prepared;
  if (auto prepared = co_await prepare_clickhouse(); !prepared) co_return prepared;
  if (auto started = co_await first_start(); !started) co_return started;
  // Before anything is taken in: what tables delete by may be older than the licence.
  co_return co_await services_->retention.tick();
}

async::Task<Expected<void>> Application::prepare_postgres() {
  auto migrated = co_await postgres::migrate(services_->postgres, store_name_of(settings_.tenant_id),
                                             embedded::postgres_migrations());
  if (!migrated) co_return migrated;
  const auto keys = co_await services_->key_rotation.settle();
  if (!keys) co_return std::unexpected(keys.error());
  if (keys->rotated || keys->resealed > 0 || keys->unreadable > 0) {
    log_.info("master_key_rotated", {{"resealed", keys->resealed}, {"unreadable", keys->unreadable}});
  }
  if (auto license = co_await services_->license.load(); !license) co_return license;
  co_return co_await services_->oidc.load();
}

async::Task<Expected<void>> Application::prepare_clickhouse() {
  const auto version = co_await services_->clickhouse.version();
  if (!version) co_return std::unexpected(version.error().error);
  if (*version < kOldestClickHouse) {
    co_return fail(ErrorCode::bad_configuration,
                   fmt::format("ClickHouse {}.{} is too old: {}.{} or newer is needed", version->first, version->second,
                               kOldestClickHouse.first, kOldestClickHouse.second),
                   "cameleer.server.clickhouse.url");
  }
  co_return co_await clickhouse::migrate(services_->clickhouse, store_name_of(settings_.tenant_id),
                                         embedded::clickhouse_migrations());
}

async::Task<Expected<void>> Application::first_start() {
  const auto noting = [this](const std::string& name) {
    return [this, name](const std::string& value) -> Expected<void> {
      const auto file = data_.note_first_start(name, value);
      if (!file) return std::unexpected(file.error());
      log_.info("first_start", {{"wrote", name}, {"file", file->string()}});
      return {};
    };
  };
  const auto key = co_await services_->environments.ensure_first(noting("api-key"));
  if (!key) co_return std::unexpected(key.error());
  // Without local sign-in nobody could use it, and what it gave does not count any more.
  if (!settings_.local_login) {
    const auto ended = co_await services_->provider_sessions.end_local();
    if (!ended) co_return std::unexpected(ended.error());
    if (*ended > 0) log_.info("local_access_ended", {{"sessionsAndTokens", *ended}});
    co_return Expected<void>{};
  }
  if (settings_.security.recover_admin) {
    auto name = co_await recover_admin(services_->postgres, services_->audit, services_->workers, system_clock(),
                                       system_random(), noting("password"));
    if (!name) co_return std::unexpected(name.error());
    log_.warning("admin_recovered", {{"username", *name}});
    co_return noting("username")(*name);
  }
  const auto& given = settings_.security.admin_password;
  const auto user = co_await services_->auth.local_accounts().ensure_first(
      given.empty() ? std::nullopt : std::optional(given), noting("password"));
  if (!user) co_return std::unexpected(user.error());
  if (*user) co_return noting("username")((*user)->username);
  co_return Expected<void>{};
}

AuditLedger::OnHead Application::note_audit_head() {
  return [this](const AuditHead& head, std::string_view public_key) {
    log_.info("audit_head", {{"position", head.position},
                             {"hash", hexadecimal(head.hash)},
                             {"signedAt", format_instant(head.signed_at)},
                             {"keyId", head.key_id},
                             {"publicKey", public_key},
                             {"signature", head.signature}});
  };
}

void Application::spawn_duties() {
  async::asio::co_spawn(executor_, services_->audit.run(), async::asio::detached);
  async::asio::co_spawn(executor_, services_->audit_ledger.run(note_audit_head()), async::asio::detached);
  async::asio::co_spawn(executor_, services_->environments.run(), async::asio::detached);
  async::asio::co_spawn(executor_, services_->oidc.run(), async::asio::detached);
  async::asio::co_spawn(executor_, services_->telemetry_removal.run(), async::asio::detached);
  async::asio::co_spawn(executor_, services_->agents.run(), async::asio::detached);
  async::asio::co_spawn(executor_, services_->commands.run(), async::asio::detached);
  async::asio::co_spawn(executor_, services_->commands.watch_keys(), async::asio::detached);
  async::asio::co_spawn(executor_, services_->auth.run(), async::asio::detached);
  async::asio::co_spawn(executor_, services_->license.run(), async::asio::detached);
  async::asio::co_spawn(executor_, services_->retention.run(), async::asio::detached);
  async::asio::co_spawn(executor_, services_->rollups.run(), async::asio::detached);
  async::asio::co_spawn(executor_, services_->caps.run(), async::asio::detached);
  async::asio::co_spawn(executor_, services_->store_watch.run(services_->metrics), async::asio::detached);
  const auto instance = fmt::format("{}:{}", async::asio::ip::host_name(), http_->port());
  async::asio::co_spawn(executor_, services_->server_metrics.run(services_->metrics, instance), async::asio::detached);
}

async::Task<> Application::stop() {
  stopping_ = true;
  log_.info("stopping");
  if (http_) co_await http_->stop();
  if (services_) {
    co_await services_->ingest.stop();
    co_await services_->server_metrics.stop();
    co_await services_->agents.stop();
    if (stores_ready_) {
      co_await services_->rollups.stop();
      (void)co_await services_->environments.write_key_uses();
      (void)co_await services_->caps.refusals().write_counted(true);
      (void)co_await services_->audit.write_counted(true);
      co_await services_->audit_ledger.finish(note_audit_head());
    }
    co_await services_->postgres.close();
  }
  if (embedded_clickhouse_) co_await embedded_clickhouse_->stop();
  if (embedded_postgres_) co_await embedded_postgres_->stop();
  log_.info("stopped");
}

}  // namespace cameleer::server
