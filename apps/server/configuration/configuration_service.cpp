#include "server/configuration/configuration_service.hpp"

#include <set>

namespace cameleer::server {
namespace {

constexpr std::size_t kMaxKnown = 10'000;
constexpr std::chrono::seconds kFresh{5};
// What is known stays for as long as it is used: it is what masks while the database is gone.
constexpr std::chrono::hours kKept{24 * 365 * 100};

std::string text_of(const std::string& environment, const std::string& application) {
  return environment + '\0' + application;
}

std::shared_ptr<const SensitiveKeys> keys_of(const std::vector<std::string>& global,
                                             const std::vector<std::string>& own) {
  return std::make_shared<const SensitiveKeys>(merged_sensitive_keys(global, own));
}

Error stored_but_not_pushed(const Error& error) {
  return {error.code, "It is stored, but not sent to all running agents: " + error.message};
}

}  // namespace

ConfigurationService::ConfigurationService(postgres::Pool& pool, AuditService& audit, EnvironmentService& environments,
                                           AgentService& agents, Clock clock)
    : store_(pool, audit),
      environments_(environments),
      agents_(agents),
      clock_(std::move(clock)),
      known_keys_(kMaxKnown, kKept) {}

async::Task<Expected<std::string>> ConfigurationService::envelope(std::string environment, std::string application,
                                                                  Which which) {
  ApplicationKey key{.environment = std::move(environment), .application = std::move(application)};
  auto stored = co_await store_.read(std::move(key));
  if (!stored) co_return std::unexpected(stored.error());
  co_return to_envelope(which == Which::latest ? stored->latest : stored->applied, stored->global_keys);
}

async::Task<Expected<std::string>> ConfigurationService::read(std::string environment, std::string application) {
  auto exists = co_await environments_.find(environment);
  if (!exists) co_return std::unexpected(exists.error());
  co_return co_await envelope(std::move(environment), std::move(application), Which::latest);
}

async::Task<Expected<ConfigurationService::Written>> ConfigurationService::write(ApplicationConfig config, Apply apply,
                                                                                 std::optional<std::uint64_t> expected,
                                                                                 AuditActor actor) {
  auto exists = co_await environments_.find(config.environment);
  if (!exists) co_return std::unexpected(exists.error());
  config.updated_at = clock_();
  auto stored = co_await store_.write(config, apply == Apply::live, expected, std::move(actor));
  // Also after a failure: nobody knows whether the statement ran.
  ++changes_;
  if (!stored) co_return std::unexpected(stored.error());
  if (!*stored) {
    co_return fail(ErrorCode::conflict, "The configuration was changed meanwhile: it has another version.",
                   "expectedVersion");
  }
  config.version = (*stored)->version;
  config.tap_version = (*stored)->tap_version;
  Written written{.envelope = to_envelope(config, (*stored)->global_keys), .pushed = std::nullopt};
  if (apply == Apply::staged) co_return written;
  std::vector<ApplicationKey> applications{{.environment = config.environment, .application = config.application}};
  auto pushed = co_await push_to(std::move(applications), config.updated_by);
  if (!pushed) co_return std::unexpected(stored_but_not_pushed(pushed.error()));
  written.pushed = *pushed;
  co_return written;
}

async::Task<Expected<std::size_t>> ConfigurationService::push_to(std::vector<ApplicationKey> applications,
                                                                 std::string username) {
  std::size_t commands = 0;
  if (!push_) co_return commands;
  std::optional<Error> failure;
  for (auto& [environment, application] : applications) {
    auto pushed = co_await push_(std::move(environment), std::move(application), username);
    if (pushed)
      commands += *pushed;
    else
      failure = pushed.error();
  }
  if (failure) co_return std::unexpected(std::move(*failure));
  co_return commands;
}

async::Task<Expected<std::vector<std::string>>> ConfigurationService::global_keys() {
  co_return co_await store_.global_keys();
}

async::Task<Expected<std::optional<std::size_t>>> ConfigurationService::write_global_keys(std::vector<std::string> keys,
                                                                                          bool push,
                                                                                          std::string username,
                                                                                          AuditActor actor) {
  std::vector<ApplicationKey> running;
  if (push) {
    auto found = co_await running_applications();
    if (!found) co_return std::unexpected(found.error());
    running = std::move(*found);
  }
  auto written = co_await store_.write_global_keys(std::move(keys), running, username, clock_(), std::move(actor));
  ++changes_;
  if (!written) co_return std::unexpected(written.error());
  if (!push) co_return std::optional<std::size_t>{};
  auto pushed = co_await push_to(std::move(running), std::move(username));
  if (!pushed) co_return std::unexpected(stored_but_not_pushed(pushed.error()));
  co_return std::optional(*pushed);
}

async::Task<Expected<std::vector<ApplicationKey>>> ConfigurationService::running_applications() {
  auto environments = co_await environments_.list();
  if (!environments) co_return std::unexpected(environments.error());
  std::set<ApplicationKey> running;
  for (const auto& environment : *environments) {
    auto agents = co_await agents_.list(environment.slug);
    if (!agents) co_return std::unexpected(agents.error());
    for (const auto& agent : *agents) {
      if (agent.state != agent::State::live && agent.state != agent::State::stale) continue;
      running.insert({.environment = agent.key.environment, .application = agent.description.application});
    }
  }
  co_return std::vector<ApplicationKey>(running.begin(), running.end());
}

bool ConfigurationService::is_fresh(const Known& known) const {
  const auto age = clock_() - known.read_at;
  return known.changes == changes_ && age < kFresh && age >= std::chrono::milliseconds(0);
}

async::Task<Expected<std::shared_ptr<const SensitiveKeys>>> ConfigurationService::sensitive_keys_of(
    std::string environment, std::string application) {
  const auto key = text_of(environment, application);
  const auto changes = changes_;
  if (const auto* found = known_keys_.find(key, clock_())) {
    auto& known = **found;
    // One request asks the database; those that come meanwhile do not wait for it.
    if (is_fresh(known) || (known.being_read && known.changes == changes_)) co_return known.keys;
    known.being_read = true;
  }
  ApplicationKey application_key{.environment = std::move(environment), .application = std::move(application)};
  auto read = co_await store_.sensitive_keys(std::move(application_key));
  co_return read ? remember(key, std::move(*read), changes) : last_known(key, changes);
}

std::shared_ptr<const SensitiveKeys> ConfigurationService::remember(const std::string& key,
                                                                    ConfigurationStore::Keys keys,
                                                                    std::uint64_t changes) {
  auto read = keys_of(keys.global, keys.own);
  const auto* found = known_keys_.find(key, clock_());
  // A reader that began later knows more.
  if (found != nullptr && (*found)->changes > changes) return read;
  last_global_keys_ = std::move(keys.global);
  Known known{.keys = read, .read_at = clock_(), .changes = changes};
  known_keys_.put(key, std::make_shared<Known>(std::move(known)), clock_());
  return read;
}

std::shared_ptr<const SensitiveKeys> ConfigurationService::last_known(const std::string& key, std::uint64_t changes) {
  const auto* found = known_keys_.find(key, clock_());
  if (found == nullptr) return keys_of(last_global_keys_, {});
  auto& known = **found;
  // The next attempt in a while: with the database gone each one waits for it.
  known.being_read = false;
  known.changes = std::max(known.changes, changes);
  known.read_at = clock_();
  return known.keys;
}

}  // namespace cameleer::server
