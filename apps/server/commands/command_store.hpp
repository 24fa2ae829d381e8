#pragma once
#include <cameleer/core/agent_registry.hpp>
#include <cameleer/core/command.hpp>
#include <cameleer/postgres/pool.hpp>
#include <limits>
#include <span>

#include "server/audit/audit_service.hpp"

namespace cameleer::server {

/// A command as its row tells it.
struct CommandRecord {
  std::string id;
  agent::Key agent;
  std::string application;
  command::Type type = command::Type::config_update;
  command::State state = command::State::pending;
  std::string issued_by;
  Instant issued_at{}, expires_at{};
  std::optional<Instant> delivered_at, settled_at;
  std::optional<std::string> message;
  std::optional<std::string> data;  ///< a JSON object
};

/// A command and its envelope as signed.
struct NewCommand {
  CommandRecord record;
  std::string payload, signature, key_id;
};

/// What an agent says became of a command.
struct CommandResult {
  command::State state = command::State::acknowledged;  ///< or failed
  std::optional<std::string> message;
  std::optional<std::string> data;  ///< a JSON object
};

/// A command on its way to an agent.
struct DueCommand {
  std::string id;
  std::int64_t position = 0;
  std::string type, payload, signature, key_id;
};

/// Commands and streams as rows. Every change of a state is a conditional update, so that several server processes may
/// deliver, acknowledge and sweep.
class CommandStore {
 public:
  /// From here on there is nothing to send again.
  static constexpr std::int64_t kNothingAgain = std::numeric_limits<std::int64_t>::max();

  explicit CommandStore(postgres::Pool& pool) : pool_(pool) {}

  /// All at once, and the entry of the audit log. An agent with `most_live` unsettled commands gets none; the ids of
  /// the inserted ones.
  async::Task<Expected<std::vector<std::string>>> insert(std::vector<NewCommand> commands, std::size_t most_live,
                                                         AuditService& audit, AuditActor actor);
  /// Nothing when there is none, also when the id is no UUID.
  async::Task<Expected<std::optional<CommandRecord>>> find(std::string id);
  /// The type, or nothing: the command is not this agent's, is settled, or is past its life.
  async::Task<Expected<std::optional<command::Type>>> settle(agent::Key agent, std::string id, CommandResult result,
                                                             Instant now);
  /// Whether exactly this result was stored.
  async::Task<Expected<bool>> has_result(std::string id, CommandResult result);

  /// The epoch of a new stream, newer than all before.
  async::Task<Expected<std::int64_t>> open_stream(agent::Key agent, std::string process, Instant now);
  /// Position of that command of the agent, `kNothingAgain` without it.
  async::Task<Expected<std::int64_t>> position_of(agent::Key agent, std::string id);
  /// Of a stream among those of its agent.
  enum class Standing : std::uint8_t {
    newest,
    superseded,  ///< a newer one is open
    gone         ///< nobody knows the agent any more: its environment was deleted
  };
  struct Claimed {
    Standing standing = Standing::newest;  ///< others get nothing
    std::vector<DueCommand> commands;
  };
  /// Makes PENDING commands DELIVERED and gives them, with DELIVERED ones after the position `after`, in order; at most
  /// `most`.
  async::Task<Expected<Claimed>> claim(agent::Key agent, std::int64_t epoch, std::int64_t after, std::size_t most,
                                       Instant now);
  /// Claimed ones of which no byte was sent are PENDING again.
  async::Task<Expected<void>> give_back(std::vector<std::string> ids);

  struct Stream {
    agent::Key agent;
    std::int64_t epoch = 0;
  };
  struct News {
    Stream stream;
    Standing standing = Standing::newest;  ///< there are PENDING commands then
  };
  /// What other processes did for these streams.
  async::Task<Expected<std::vector<News>>> news(std::vector<Stream> streams, Instant now);

  /// Makes unsettled commands past their life EXPIRED, at most 1,000; their types.
  async::Task<Expected<std::vector<command::Type>>> expire(Instant now);
  /// Deletes commands settled before; at most 10,000.
  async::Task<Expected<void>> delete_settled(Instant before);

 private:
  postgres::Pool& pool_;
};

}  // namespace cameleer::server
