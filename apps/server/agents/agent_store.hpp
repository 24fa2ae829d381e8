#pragma once
#include <cameleer/core/agent_registry.hpp>
#include <cameleer/postgres/pool.hpp>
#include <span>

namespace cameleer::server {

/// Rows of the registry. Writes of a state are conditional, so that several server processes may sweep and receive.
class AgentStore {
 public:
  explicit AgentStore(postgres::Pool& pool) : pool_(pool) {}

  async::Task<Expected<std::optional<agent::Record>>> find(agent::Key key);
  async::Task<Expected<std::vector<agent::Record>>> list(std::string environment);
  /// The agents of that id: at most one an environment.
  async::Task<Expected<std::vector<agent::Record>>> find_everywhere(std::string agent_id);
  /// Agents that silence may have changed by now.
  async::Task<Expected<std::vector<agent::Record>>> overdue(agent::Settings settings, Instant now);

  /// The whole row and the event of the change, in one statement.
  async::Task<Expected<void>> put(agent::Change change, Instant now);
  async::Task<Expected<void>> put(postgres::Transaction& transaction, agent::Change change, Instant now);
  /// Whether the agent is LIVE or STALE, or was LIVE since.
  async::Task<Expected<bool>> is_about(postgres::Transaction& transaction, agent::Key key, Instant since);
  async::Task<Expected<std::unique_ptr<postgres::Transaction>>> begin();
  /// A sweep's change: only while the row is still as the sweep saw it; false otherwise.
  async::Task<Expected<bool>> put_silence(agent::State before, agent::Change change, Instant now);
  /// Times, clock skews, capabilities and route states of many agents at once. A row that another process found silent
  /// meanwhile becomes LIVE again with a RECOVERED event. The keys of those not written: the row is gone, or was
  /// deregistered after the heartbeat.
  async::Task<Expected<std::vector<agent::Key>>> put_heartbeats(std::span<const agent::Record> records, Instant now);

 private:
  postgres::Pool& pool_;
};

}  // namespace cameleer::server
