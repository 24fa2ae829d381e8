#pragma once
#include <cameleer/core/command.hpp>
#include <memory>

#include "agent-sim/agent_session.hpp"
#include "agent-sim/event_reader.hpp"

namespace cameleer::sim {

/// An agent's command stream. I/O thread only.
class CommandStream {
 public:
  struct Opening {
    std::string last_event_id = {};
    bool token_in_query = false;
    std::string agent_id = {};  ///< another agent's path; empty: its own
  };
  /// Opens it with the session's token on a connection of its own. The status is the caller's to judge.
  static async::Task<Expected<CommandStream>> open(async::Executor executor, web::Endpoint endpoint,
                                                   const AgentSession& session, Opening opening);

  [[nodiscard]] int status() const { return stream_->head().status; }
  [[nodiscard]] std::string content_type() const { return std::string(stream_->head().header("Content-Type")); }

  /// The next event or comment; nothing when the stream ended. `upstream_timeout` when nothing came in time.
  async::Task<Expected<std::optional<StreamEvent>>> next(std::chrono::milliseconds deadline);
  /// The next event that is no comment.
  async::Task<Expected<std::optional<StreamEvent>>> next_event(std::chrono::milliseconds deadline);

 private:
  CommandStream(std::unique_ptr<web::Client> client, std::unique_ptr<web::ClientStream> stream)
      : client_(std::move(client)), stream_(std::move(stream)) {}
  std::unique_ptr<web::Client> client_;
  std::unique_ptr<web::ClientStream> stream_;
  EventReader reader_;
};

/// Why an agent refuses a command, as its heartbeat counts it; empty: it takes it.
struct Judgement {
  std::string refused;
  command::Envelope envelope;
};

/// What an agent must know to judge commands.
struct CommandRules {
  std::string public_key, key_id, tenant, environment, agent;
  std::chrono::milliseconds server_ahead{};  ///< server's clock minus own
};

/// Judges an event in the order of the protocol: key, signature, form, type, target, expiry. The nonce is the caller's.
Judgement judge(const StreamEvent& event, const CommandRules& rules, Instant now);

}  // namespace cameleer::sim
