#include "server/agents/agent_service.hpp"

namespace cameleer::server {
namespace {

constexpr std::size_t kBatch = 500;
constexpr std::chrono::hours kRemembered{24};

void set_skew(agent::Record& record, std::optional<Instant> agent_time, Instant now) {
  if (agent_time) record.clock_skew_ms = milliseconds_of(*agent_time) - milliseconds_of(now);
}

/// An agent that counts among those that are allowed already.
bool is_about(const agent::Record& record, Instant now) {
  return record.state == agent::State::live || record.state == agent::State::stale ||
         record.last_heartbeat_at >= now - kRemembered;
}

std::unexpected<Error> full() {
  return fail(ErrorCode::overloaded, "The server holds as many agents as it may.");
}

}  // namespace

AgentService::AgentService(postgres::Pool& pool, TokenService& tokens, EnvironmentService& environments,
                           const identity::Keys& keys, Clock clock, AgentServiceSettings settings)
    : store_(pool),
      tokens_(tokens),
      environments_(environments),
      keys_(keys),
      clock_(std::move(clock)),
      settings_(std::move(settings)) {}

Expected<void> AgentService::remember(agent::Record record, bool dirty) {
  auto known = known_.find(record.key);
  if (known == known_.end()) {
    if (known_.size() >= settings_.max_known) {
      return full();
    }
    auto key = record.key;
    known_.emplace(std::move(key), Entry{.record = std::move(record), .dirty = dirty});
    return {};
  }
  known->second = Entry{.record = std::move(record), .dirty = dirty};
  return {};
}

async::Task<Expected<void>> AgentService::put_registered(agent::Change change, bool is_known, std::string key_ref,
                                                         Instant now) {
  if (is_known || settings_.caps == nullptr) co_return co_await store_.put(std::move(change), now);
  auto transaction = co_await store_.begin();
  if (!transaction) co_return std::unexpected(transaction.error());
  auto turn = co_await settings_.caps->take_turn(**transaction, LicenseLimit::max_agents);
  if (!turn) co_return turn;
  // It may have registered twice at once.
  auto there = co_await store_.is_about(**transaction, change.record.key, now - kRemembered);
  if (!there) co_return std::unexpected(there.error());
  if (!*there) {
    AuditActor actor{.username = "API key " + key_ref};
    auto allowed = co_await settings_.caps->check(**transaction, LicenseLimit::max_agents, std::move(actor));
    if (!allowed) co_return allowed;
  }
  auto stored = co_await store_.put(**transaction, std::move(change), now);
  if (!stored) co_return stored;
  auto committed = co_await (*transaction)->commit();
  if (!committed) co_return std::unexpected(committed.error().for_caller());
  co_return Expected<void>{};
}

async::Task<Expected<RegistrationResult>> AgentService::register_agent(const Principal& caller,
                                                                       Registration registration) {
  if (registration.key.environment != caller.environment) {
    co_return fail(ErrorCode::forbidden, "/environmentId: the API key belongs to another environment",
                   "/environmentId");
  }
  auto environment = co_await environments_.find(registration.key.environment);
  if (!environment) {
    auto error = environment.error();
    if (error.code == ErrorCode::environment_not_found) error.member = "/environmentId";
    co_return std::unexpected(std::move(error));
  }
  if (!known_.contains(registration.key) && known_.size() >= settings_.max_known) co_return full();
  RegistrationResult result;
  if (settings_.config_of) {
    auto config = co_await settings_.config_of(registration.key.environment, registration.description.application);
    if (!config) co_return std::unexpected(config.error());
    result.config = std::move(*config);
  }
  auto known = co_await store_.find(registration.key);
  if (!known) co_return std::unexpected(known.error());
  const auto now = clock_();
  const bool is_known = *known && is_about(**known, now);
  auto change =
      agent::register_agent(*known, registration.key, std::move(registration.description), caller.key_ref, now);
  set_skew(change.record, registration.agent_time, now);
  TokenSubject subject{.kind = TokenSubject::Kind::agent,
                       .id = change.record.key.id,
                       .environment = change.record.key.environment,
                       .application = change.record.description.application,
                       .key_ref = caller.key_ref};
  auto stored = co_await put_registered(change, is_known, caller.key_ref, now);
  if (!stored) co_return std::unexpected(stored.error());
  if (auto kept = remember(std::move(change.record), false); !kept) co_return std::unexpected(kept.error());
  const auto slash = settings_.base_path.ends_with('/') ? "" : "/";
  result.sse_endpoint = fmt::format("{}{}api/v1/agents/{}/events", settings_.base_path, slash, subject.id);
  auto tokens = co_await tokens_.issue(std::move(subject));
  if (!tokens) co_return std::unexpected(tokens.error());
  result.tokens = std::move(*tokens);
  result.heartbeat_interval = settings_.registry.heartbeat_interval;
  result.tenant_id = settings_.tenant_id;
  result.server_public_key = keys_.command_public_key();
  result.server_key_id = keys_.command_signing().id;
  result.server_time = now;
  co_return result;
}

async::Task<Expected<TokenPair>> AgentService::refresh(const Principal& caller) {
  co_return co_await tokens_.rotate(caller.token_id);
}

async::Task<Expected<agent::Record>> AgentService::load_or_recreate(const Principal& caller) {
  agent::Key key{.environment = caller.environment, .id = caller.id};
  auto stored = co_await store_.find(key);
  if (!stored) co_return std::unexpected(stored.error());
  if (*stored) co_return std::move(**stored);
  // The row is gone, the token is good: what the token knows is enough until the agent registers again.
  auto environment = co_await environments_.find(key.environment);
  if (!environment) co_return std::unexpected(environment.error());
  agent::Description description{.display_name = caller.id,
                                 .application = caller.application,
                                 .version = {},
                                 .camel_version = {},
                                 .runtime = {},
                                 .route_ids = {}};
  const auto now = clock_();
  auto change = agent::register_agent(std::nullopt, std::move(key), std::move(description), caller.key_ref, now);
  auto written = co_await store_.put(change, now);
  if (!written) co_return std::unexpected(written.error());
  co_return std::move(change.record);
}

async::Task<Expected<Instant>> AgentService::heartbeat(const Principal& caller, agent::Heartbeat beat,
                                                       std::optional<Instant> agent_time) {
  const agent::Key key{.environment = caller.environment, .id = caller.id};
  if (!known_.contains(key)) {
    auto loaded = co_await load_or_recreate(caller);
    if (!loaded) co_return std::unexpected(loaded.error());
    // Another request may have been quicker meanwhile; its record is the newer one.
    if (!known_.contains(key)) {
      if (auto kept = remember(std::move(*loaded), false); !kept) co_return std::unexpected(kept.error());
    }
  }
  const auto now = clock_();
  auto change = agent::heartbeat(known_.at(key).record, beat, now);
  set_skew(change.record, agent_time, now);
  const bool recovered = change.transition.has_value();
  if (auto kept = remember(change.record, !recovered); !kept) co_return std::unexpected(kept.error());
  if (recovered) {
    auto written = co_await store_.put(std::move(change), now);
    if (!written) {
      known_.erase(key);
      co_return std::unexpected(written.error());
    }
  }
  co_return now;
}

async::Task<Expected<void>> AgentService::deregister(const Principal& caller) {
  agent::Key key{.environment = caller.environment, .id = caller.id};
  auto loaded = co_await load_or_recreate(caller);
  if (!loaded) co_return std::unexpected(loaded.error());
  const auto now = clock_();
  const auto known = known_.find(key);
  auto change = agent::deregister(known != known_.end() ? known->second.record : std::move(*loaded), now);
  known_.erase(key);
  co_return co_await store_.put(std::move(change), now);
}

async::Task<Expected<std::vector<agent::Record>>> AgentService::list(std::string environment) {
  auto exists = co_await environments_.find(environment);
  if (!exists) co_return std::unexpected(exists.error());
  auto records = co_await store_.list(std::move(environment));
  if (records) take_newer(*records);
  co_return records;
}

async::Task<Expected<std::vector<agent::Record>>> AgentService::find(std::string agent_id) {
  auto records = co_await store_.find_everywhere(std::move(agent_id));
  if (records) take_newer(*records);
  co_return records;
}

void AgentService::take_newer(std::vector<agent::Record>& records) const {
  for (auto& record : records) {
    const auto known = known_.find(record.key);
    if (known != known_.end() && known->second.record.last_heartbeat_at > record.last_heartbeat_at) {
      record = known->second.record;
    }
  }
}

async::Task<Expected<void>> AgentService::write_heartbeats() {
  std::vector<agent::Record> dirty;
  for (auto& [key, entry] : known_) {
    if (!entry.dirty) continue;
    entry.dirty = false;
    dirty.push_back(entry.record);
  }
  for (std::size_t from = 0; from < dirty.size(); from += kBatch) {
    const auto batch = std::span(dirty).subspan(from, std::min(kBatch, dirty.size() - from));
    auto written = co_await store_.put_heartbeats(batch, clock_());
    if (written) {
      for (const auto& key : *written) known_.erase(key);
      continue;
    }
    for (const auto& record : std::span(dirty).subspan(from)) {
      const auto known = known_.find(record.key);
      if (known != known_.end()) known->second.dirty = true;
    }
    co_return std::unexpected(written.error());
  }
  co_return Expected<void>{};
}

async::Task<Expected<void>> AgentService::sweep() {
  const auto now = clock_();
  auto overdue = co_await store_.overdue(settings_.registry, now);
  if (!overdue) co_return std::unexpected(overdue.error());
  for (auto& record : *overdue) {
    const auto key = record.key;
    // A row may lag behind what was heard by `write_interval`; once written it is judged again.
    const auto known = known_.find(key);
    if (known != known_.end() && known->second.record.last_heartbeat_at > record.last_heartbeat_at) continue;
    const auto before = record.state;
    auto change = agent::sweep(std::move(record), settings_.registry, now);
    if (!change.transition) continue;
    const auto heard = change.record.last_heartbeat_at;
    auto changed = co_await store_.put_silence(before, std::move(change), now);
    if (!changed) co_return std::unexpected(changed.error());
    // Silent agents live in their rows; the next heartbeat reads them again.
    const auto silent = known_.find(key);
    if (*changed && silent != known_.end() && silent->second.record.last_heartbeat_at <= heard) known_.erase(silent);
  }
  co_return Expected<void>{};
}

async::Task<> AgentService::run() {
  auto executor = co_await async::asio::this_coro::executor;
  Instant written_at = clock_();
  for (;;) {
    co_await async::sleep_for(executor, settings_.sweep_interval);
    if ((co_await async::asio::this_coro::cancellation_state).cancelled() != async::asio::cancellation_type::none) {
      co_return;
    }
    // A failure is a database that is gone: readiness tells, the next turn tries again.
    if (clock_() - written_at >= settings_.write_interval) {
      auto written = co_await write_heartbeats();
      if (written) written_at = clock_();
    }
    (void)co_await sweep();
  }
}

async::Task<> AgentService::stop() {
  (void)co_await write_heartbeats();
}

}  // namespace cameleer::server
