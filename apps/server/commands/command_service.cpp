#include "server/commands/command_service.hpp"

#include <cameleer/identity/encoding.hpp>

namespace cameleer::server {
namespace {

using namespace std::chrono_literals;

constexpr auto kKeyCheck = 500ms;  // between two looks at the API keys
constexpr auto kLookAround = 2s;   // between two looks at the rows
constexpr auto kCleanUp = 10min;   // between two deletions of old commands
constexpr auto kPoll = 500ms;      // of a command that a caller waits for: another process may settle it
constexpr std::size_t kNonceBytes = 16;
constexpr std::size_t kMaxRequestBytes = 64u << 20;  // of all envelopes of one request

std::unexpected<Error> full() {
  return fail(ErrorCode::overloaded, "The agent has as many unsettled commands as it may have.");
}

std::unexpected<Error> no_command() {
  return fail(ErrorCode::command_not_found, "There is no command of this id.", "commandId");
}

std::unexpected<Error> late(std::string_view command_id, std::chrono::milliseconds waited) {
  return fail(ErrorCode::upstream_timeout, fmt::format("The agent did not acknowledge the command {} within {} s.",
                                                       command_id, std::chrono::duration<double>(waited).count()));
}

}  // namespace

/// A caller that waits for a command to be settled. It may outlive the service when a server is cut short.
class CommandService::Wait {
 public:
  Wait(std::shared_ptr<Waiting> waiting, const async::Executor& executor, std::string command_id)
      : waiting_(std::move(waiting)), timer_(executor) {
    place_ = waiting_->timers.emplace(std::move(command_id), &timer_);
  }
  ~Wait() { waiting_->timers.erase(place_); }
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;
  async::Task<> until(std::chrono::steady_clock::time_point time) {
    timer_.expires_at(time);
    co_await timer_.async_wait(async::as_result);
  }

 private:
  std::shared_ptr<Waiting> waiting_;
  async::SteadyTimer timer_;
  std::multimap<std::string, async::SteadyTimer*>::iterator place_;
};

CommandService::CommandService(async::Executor executor, postgres::Pool& pool, AuditService& audit,
                               AgentService& agents, EnvironmentService& environments, async::WorkerPool& workers,
                               const identity::Keys& keys, ConfigOf config_of, Clock clock, Random random,
                               CommandServiceSettings settings)
    : executor_(std::move(executor)),
      store_(pool),
      audit_(audit),
      agents_(agents),
      environments_(environments),
      workers_(workers),
      keys_(keys),
      config_of_(std::move(config_of)),
      clock_(std::move(clock)),
      random_(std::move(random)),
      settings_(std::move(settings)),
      process_id_(identity::random_uuid(random_)) {}

async::Task<Expected<agent::Record>> CommandService::target(std::string agent_id,
                                                            std::optional<std::string> environment) {
  auto found = co_await agents_.find(std::move(agent_id));
  if (!found) co_return std::unexpected(found.error());
  if (environment) {
    auto exists = co_await environments_.find(*environment);
    if (!exists) co_return std::unexpected(exists.error());
    std::erase_if(*found, [&](const auto& record) { return record.key.environment != *environment; });
  }
  if (found->empty()) co_return fail(ErrorCode::agent_not_found, "There is no agent of this id.", "agentId");
  if (found->size() > 1) {
    co_return fail(ErrorCode::invalid_parameter, "Agents of this id are in several environments: name one.",
                   "environment");
  }
  co_return std::move(found->front());
}

async::Task<Expected<CommandRecord>> CommandService::send(std::string agent_id, std::optional<std::string> environment,
                                                          Order order) {
  auto found = co_await target(std::move(agent_id), std::move(environment));
  if (!found) co_return std::unexpected(found.error());
  if (found->state == agent::State::dead || found->state == agent::State::shutdown) {
    co_return fail(ErrorCode::conflict,
                   fmt::format("The agent is {}: it takes no commands.", agent::name_of(found->state)));
  }
  auto issued = co_await issue({std::move(*found)}, std::move(order));
  if (!issued) co_return std::unexpected(issued.error());
  co_return std::move(issued->front());
}

async::Task<Expected<std::vector<CommandRecord>>> CommandService::send_to_all(std::string environment,
                                                                              std::optional<std::string> application,
                                                                              Order order) {
  auto found = co_await agents_.list(std::move(environment));
  if (!found) co_return std::unexpected(found.error());
  std::erase_if(*found, [&](const auto& record) {
    const bool listens = record.state == agent::State::live || record.state == agent::State::stale;
    return !listens || (application && record.description.application != *application);
  });
  if (found->empty()) co_return std::vector<CommandRecord>{};
  co_return co_await issue(std::move(*found), std::move(order));
}

async::Task<Expected<std::size_t>> CommandService::push_config(std::string environment, std::string application,
                                                               std::string issued_by) {
  auto chosen = application.empty() ? std::nullopt : std::optional(std::move(application));
  auto issued = co_await send_to_all(
      std::move(environment), std::move(chosen),
      Order{.type = command::Type::config_update, .body = "{}", .issued_by = std::move(issued_by)});
  if (!issued) co_return std::unexpected(issued.error());
  co_return issued->size();
}

/// The body of the command by application: one for all, but for the configuration.
async::Task<Expected<std::map<std::string, std::string>>> CommandService::bodies_for(
    const std::vector<agent::Record>& targets, const Order& order) {
  std::map<std::string, std::string> bodies;
  for (const auto& record : targets) {
    const auto& application = record.description.application;
    if (bodies.contains(application)) continue;
    if (order.type != command::Type::config_update) {
      bodies.emplace(application, order.body);
      continue;
    }
    auto config = co_await config_of_(record.key.environment, application);
    if (!config) co_return std::unexpected(config.error());
    bodies.emplace(application, fmt::format(R"({{"config":{}}})", *config));
  }
  co_return bodies;
}

async::Task<Expected<std::vector<CommandRecord>>> CommandService::issue(std::vector<agent::Record> targets,
                                                                        Order order) {
  auto bodies = co_await bodies_for(targets, order);
  if (!bodies) co_return std::unexpected(bodies.error());
  const auto now = clock_();
  std::vector<NewCommand> commands;
  std::vector<std::string> envelopes;
  std::size_t bytes = 0;
  for (const auto& agent : targets) {
    CommandRecord record{.id = identity::random_uuid(random_),
                         .agent = agent.key,
                         .application = agent.description.application,
                         .type = order.type,
                         .issued_by = order.issued_by,
                         .issued_at = now,
                         .expires_at = now + settings_.expiry,
                         .delivered_at = {},
                         .settled_at = {},
                         .message = {},
                         .data = {}};
    envelopes.push_back(command::to_json({.command_id = record.id,
                                          .type = record.type,
                                          .tenant_id = settings_.tenant_id,
                                          .environment = record.agent.environment,
                                          .agent_id = record.agent.id,
                                          .issued_at = record.issued_at,
                                          .expires_at = record.expires_at,
                                          .nonce = identity::base64url(identity::random_bytes(random_, kNonceBytes)),
                                          .body = bodies->at(record.application)}));
    commands.push_back({.record = std::move(record), .payload = {}, .signature = {}, .key_id = {}});
    bytes += envelopes.back().size();
    if (bytes > kMaxRequestBytes) {
      co_return fail(ErrorCode::body_too_large, "The payload is too large for so many agents at once.");
    }
  }
  auto signatures = co_await workers_.run([key = keys_.command_signing(), texts = std::move(envelopes)] {
    std::vector<identity::SignedCommand> done;
    for (const auto& text : texts) done.push_back(identity::sign_command(key, text));
    return done;
  });
  if (!signatures) co_return std::unexpected(signatures.error());
  std::vector<CommandRecord> issued;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    auto& made = (*signatures)[i];
    commands[i].payload = std::move(made.payload);
    commands[i].signature = std::move(made.signature);
    commands[i].key_id = std::move(made.key_id);
    issued.push_back(commands[i].record);
  }
  auto inserted = co_await store_.insert(std::move(commands), settings_.max_live, audit_, std::move(order.actor));
  if (!inserted) co_return std::unexpected(inserted.error());
  const std::set<std::string> ids(inserted->begin(), inserted->end());
  std::erase_if(issued, [&](const auto& record) { return !ids.contains(record.id); });
  if (issued.empty()) co_return full();
  for (const auto& record : issued) streams_->notify(record.agent);
  co_return issued;
}

async::Task<Expected<CommandRecord>> CommandService::wait_for_ack(CommandRecord issued) {
  const auto end = std::chrono::steady_clock::now() + settings_.ack_wait;
  Wait wait(waiting_, executor_, issued.id);
  for (;;) {
    auto found = co_await store_.find(issued.id);
    if (!found) co_return std::unexpected(found.error());
    if (!*found) co_return no_command();
    const auto state = (*found)->state;
    const auto now = std::chrono::steady_clock::now();
    if (state == command::State::acknowledged || state == command::State::failed) co_return std::move(**found);
    if (state == command::State::expired || now >= end) co_return late(issued.id, settings_.ack_wait);
    co_await wait.until(std::min(end, now + kPoll));
  }
}

async::Task<Expected<CommandRecord>> CommandService::get(std::string agent_id, std::optional<std::string> environment,
                                                         std::string command_id) {
  auto found = co_await store_.find(std::move(command_id));
  if (!found) co_return std::unexpected(found.error());
  if (!*found || (*found)->agent.id != agent_id || (environment && (*found)->agent.environment != *environment)) {
    co_return no_command();
  }
  co_return std::move(**found);
}

async::Task<Expected<command::State>> CommandService::acknowledge(const Principal& caller, std::string command_id,
                                                                  CommandResult result) {
  const agent::Key agent{.environment = caller.environment, .id = caller.id};
  if (!identity::is_uuid(command_id)) co_return no_command();
  auto settled = co_await store_.settle(agent, command_id, result, clock_());
  if (!settled) co_return std::unexpected(settled.error());
  if (*settled) {
    count(**settled, result.state);
    const auto [first, last] = waiting_->timers.equal_range(command_id);
    for (auto waiter = first; waiter != last; ++waiter) waiter->second->cancel();
    co_return result.state;
  }
  auto found = co_await store_.find(command_id);
  if (!found) co_return std::unexpected(found.error());
  if (!*found) co_return no_command();
  if ((*found)->agent != agent) {
    co_return fail(ErrorCode::foreign_agent, "The command was sent to another agent.", "commandId");
  }
  const auto state = result.state;
  auto same = co_await store_.has_result(command_id, std::move(result));
  if (!same) co_return std::unexpected(same.error());
  if (*same) co_return state;
  co_return fail(ErrorCode::command_settled, "The command has its result already, or is past its life.", "commandId");
}

async::Task<Expected<CommandService::StreamWriter>> CommandService::open_stream(const Principal& caller,
                                                                                std::string last_event_id) {
  agent::Key agent{.environment = caller.environment, .id = caller.id};
  auto after = co_await store_.position_of(agent, std::move(last_event_id));
  if (!after) co_return std::unexpected(after.error());
  auto epoch = co_await store_.open_stream(agent, process_id_, clock_());
  if (!epoch) co_return std::unexpected(epoch.error());
  auto stream = std::make_shared<CommandStream>(
      executor_, CommandStore::Stream{.agent = std::move(agent), .epoch = *epoch}, *after);
  stream->key_ref = caller.key_ref;
  stream->token_expires_at = caller.token_expires_at;
  co_return StreamWriter([store = store_, clock = clock_, streams = streams_, stream](web::BodyWriter& writer) {
    return deliver_commands(store, clock, streams, stream, writer);
  });
}

async::Task<Expected<void>> CommandService::end_revoked() {
  streams_->end_expired(clock_());
  auto keys = streams_->key_refs();
  if (keys.empty()) co_return Expected<void>{};
  auto over = co_await environments_.uncounted_keys(std::move(keys));
  if (!over) co_return std::unexpected(over.error());
  streams_->end_of_keys(*over);
  co_return Expected<void>{};
}

async::Task<Expected<void>> CommandService::look_around() {
  auto streams = streams_->streams();
  if (streams.empty()) co_return Expected<void>{};
  auto news = co_await store_.news(std::move(streams), clock_());
  if (!news) co_return std::unexpected(news.error());
  for (const auto& one : *news) streams_->tell(one);
  co_return Expected<void>{};
}

async::Task<Expected<void>> CommandService::expire() {
  auto types = co_await store_.expire(clock_());
  if (!types) co_return std::unexpected(types.error());
  for (const auto type : *types) count(type, command::State::expired);
  co_return Expected<void>{};
}

async::Task<Expected<void>> CommandService::clean_up() {
  co_return co_await store_.delete_settled(clock_() - settings_.kept);
}

async::Task<bool> CommandService::sleep(std::chrono::milliseconds time) {
  co_await async::sleep_for(executor_, time);
  co_return (co_await async::asio::this_coro::cancellation_state).cancelled() == async::asio::cancellation_type::none;
}

async::Task<> CommandService::watch_keys() {
  while (co_await sleep(kKeyCheck)) (void)co_await end_revoked();
}

async::Task<> CommandService::run() {
  auto cleaned_at = std::chrono::steady_clock::now() - kCleanUp;
  while (co_await sleep(kLookAround)) {
    (void)co_await look_around();
    (void)co_await expire();
    const auto now = std::chrono::steady_clock::now();
    if (now - cleaned_at >= kCleanUp) {
      cleaned_at = now;
      (void)co_await clean_up();
    }
  }
}

void CommandService::count(command::Type type, command::State state) {
  ++settled_[{type, state}];
}

std::uint64_t CommandService::settled(command::Type type, command::State state) const {
  const auto found = settled_.find({type, state});
  return found == settled_.end() ? 0 : found->second;
}

}  // namespace cameleer::server
