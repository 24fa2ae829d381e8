#pragma once
#include <cameleer/async/worker_pool.hpp>
#include <cameleer/identity/command_signature.hpp>
#include <set>

#include "server/agents/agent_service.hpp"
#include "server/audit/audit_service.hpp"
#include "server/commands/command_streams.hpp"

namespace cameleer::server {

struct CommandServiceSettings {
  std::string tenant_id = "default";
  std::chrono::milliseconds expiry{60'000};    ///< life of a command without an acknowledgement
  std::chrono::milliseconds ack_wait{30'000};  ///< what a caller waits for the acknowledgement at most
  std::chrono::hours kept{24 * 30};            ///< of settled commands
  std::size_t max_live = 1'000;                ///< unsettled commands of one agent; one more is `overloaded`
};

/// Commands to agents: issued as signed rows, delivered over the agents' streams, acknowledged, expired. Several server
/// processes may serve the tenant: truth is rows, memory only wakes. I/O thread only.
class CommandService {
 public:
  /// The configuration of an application as agents read it, as JSON.
  using ConfigOf = std::function<async::Task<Expected<std::string>>(std::string environment, std::string application)>;

  CommandService(async::Executor executor, postgres::Pool& pool, AuditService& audit, AgentService& agents,
                 EnvironmentService& environments, async::WorkerPool& workers, const identity::Keys& keys,
                 ConfigOf config_of, Clock clock, Random random, CommandServiceSettings settings = {});

  struct Order {
    command::Type type = command::Type::config_update;
    std::string body;       ///< as `command::read_body` gave it
    std::string issued_by;  ///< who asked, for people
    AuditActor actor = {};  ///< the same for the audit log; without a name: `issued_by`
  };
  /// To one agent. Without an environment its id must be known in one environment only. `agent_not_found`; `conflict`
  /// when the agent is DEAD or SHUTDOWN; `overloaded`.
  async::Task<Expected<CommandRecord>> send(std::string agent_id, std::optional<std::string> environment, Order order);
  /// To the LIVE and STALE agents of an environment, or of one application of it. An agent whose queue is full gets
  /// none; `overloaded` when that is so for all.
  async::Task<Expected<std::vector<CommandRecord>>> send_to_all(std::string environment,
                                                                std::optional<std::string> application, Order order);
  /// The command once it is settled; `upstream_timeout` when the agent did not acknowledge it in time.
  async::Task<Expected<CommandRecord>> wait_for_ack(CommandRecord issued);
  /// Tells the agents of an application (empty: of the environment) to take their configuration anew; how many.
  async::Task<Expected<std::size_t>> push_config(std::string environment, std::string application,
                                                 std::string issued_by);
  /// `command_not_found` when that agent has no such command.
  async::Task<Expected<CommandRecord>> get(std::string agent_id, std::optional<std::string> environment,
                                           std::string command_id);

  /// `caller` is an agent. The same result again is fine; `foreign_agent`, `command_not_found`, `command_settled`.
  async::Task<Expected<command::State>> acknowledge(const Principal& caller, std::string command_id,
                                                    CommandResult result);
  /// Opens the caller's stream, which ends any older one. The value writes it.
  using StreamWriter = std::function<async::Task<>(web::BodyWriter&)>;
  async::Task<Expected<StreamWriter>> open_stream(const Principal& caller, std::string last_event_id);

  /// Ends the streams whose token or API key does not count any more.
  async::Task<Expected<void>> end_revoked();
  /// Finds what other processes did for the agents connected here.
  async::Task<Expected<void>> look_around();
  /// Ends the life of commands that nobody acknowledged.
  async::Task<Expected<void>> expire();
  async::Task<Expected<void>> clean_up();
  /// The first at its interval, which no slow work on rows may hold up, until the coroutine is cancelled.
  async::Task<> watch_keys();
  /// The others at theirs. A failure is tried again at the next turn.
  async::Task<> run();

  /// For metrics.
  [[nodiscard]] std::size_t open_streams() const { return streams_->size(); }
  [[nodiscard]] std::uint64_t settled(command::Type type, command::State state) const;

 private:
  struct Waiting {
    std::multimap<std::string, async::SteadyTimer*> timers;  ///< by command
  };
  class Wait;
  async::Task<Expected<agent::Record>> target(std::string agent_id, std::optional<std::string> environment);
  async::Task<Expected<std::vector<CommandRecord>>> issue(std::vector<agent::Record> targets, Order order);
  async::Task<Expected<std::map<std::string, std::string>>> bodies_for(const std::vector<agent::Record>& targets,
                                                                       const Order& order);
  /// False: cancelled.
  async::Task<bool> sleep(std::chrono::milliseconds time);
  void count(command::Type type, command::State state);

  async::Executor executor_;
  CommandStore store_;
  AuditService& audit_;
  AgentService& agents_;
  EnvironmentService& environments_;
  async::WorkerPool& workers_;
  const identity::Keys& keys_;
  ConfigOf config_of_;
  Clock clock_;
  Random random_;
  CommandServiceSettings settings_;
  std::string process_id_;
  std::shared_ptr<CommandStreams> streams_ = std::make_shared<CommandStreams>();
  std::shared_ptr<Waiting> waiting_ = std::make_shared<Waiting>();
  std::map<std::pair<command::Type, command::State>, std::uint64_t> settled_;
};

}  // namespace cameleer::server
