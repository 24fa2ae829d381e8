#pragma once
#include <cameleer/web/message.hpp>
#include <map>

#include "server/commands/command_store.hpp"

namespace cameleer::server {

/// The command stream of one agent, open in this process.
struct CommandStream {
  enum class End : std::uint8_t {
    none,
    superseded,  ///< a newer stream of the agent is open, here or elsewhere
    reauth,      ///< its token or API key does not count any more
  };
  CommandStream(const async::Executor& executor, CommandStore::Stream opened, std::int64_t resume_after)
      : stream(std::move(opened)), after(resume_after), wake(executor) {}

  /// Commands may be waiting.
  void notify() {
    due = true;
    wake.cancel();
  }
  void finish(End why) {
    if (end == End::none) end = why;
    wake.cancel();
  }

  CommandStore::Stream stream;
  std::int64_t after;  ///< DELIVERED commands behind this position are sent again
  std::string key_ref;
  Instant token_expires_at{};
  async::SteadyTimer wake;
  bool due = true;
  End end = End::none;
};

/// The streams open in this process, one an agent. I/O thread only.
class CommandStreams {
 public:
  /// Ends an older stream of the agent. False when this one is the older.
  bool add(const std::shared_ptr<CommandStream>& stream);
  void remove(const CommandStream& stream);
  void notify(const agent::Key& agent);
  /// Tells a stream what other processes did.
  void tell(const CommandStore::News& news);
  /// Ends the streams whose token is over.
  void end_expired(Instant now);
  void end_of_keys(std::span<const std::string> key_refs);

  [[nodiscard]] std::vector<CommandStore::Stream> streams() const;
  /// The API keys behind the streams, each once.
  [[nodiscard]] std::vector<std::string> key_refs() const;
  [[nodiscard]] std::size_t size() const { return open_.size(); }

 private:
  std::map<agent::Key, std::shared_ptr<CommandStream>> open_;
};

/// Writes an agent's commands as they come until the stream ends, the peer is gone or the server drains. A few commands
/// are held in memory at a time, the others wait in their rows: a slow reader costs nothing more. The shared state
/// outlives a server that is gone.
async::Task<> deliver_commands(CommandStore store, Clock clock, std::shared_ptr<CommandStreams> streams,
                               std::shared_ptr<CommandStream> stream, web::BodyWriter& writer);

}  // namespace cameleer::server
