#include "server/commands/command_streams.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cameleer/web/event_stream.hpp>
#include <set>

namespace cameleer::server {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBatch = 8;
constexpr auto kKeepAlive = 15s;
constexpr auto kRetry = 1s;  ///< after the database did not answer

/// Leaves the table when the stream's coroutine ends, however it does.
class Place {
 public:
  Place(std::shared_ptr<CommandStreams> streams, std::shared_ptr<CommandStream> stream)
      : streams_(std::move(streams)), stream_(std::move(stream)) {}
  ~Place() { streams_->remove(*stream_); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  std::shared_ptr<CommandStreams> streams_;
  std::shared_ptr<CommandStream> stream_;
};

std::string event_of(const DueCommand& command) {
  boost::json::object data;
  data["payload"] = command.payload;
  data["signature"] = command.signature;
  data["keyId"] = command.key_id;
  const auto text = boost::json::serialize(data);
  return web::render({.event = command.type, .id = command.id, .data = text});
}

/// Sends what was claimed; what was not begun when the stream ended waits for the next one. False: the peer is gone.
async::Task<bool> send(CommandStore& store, CommandStream& stream, std::span<const DueCommand> commands,
                       web::BodyWriter& writer) {
  bool open = true;
  while (open && !commands.empty() && stream.end == CommandStream::End::none && !writer.closed()) {
    stream.after = std::max(stream.after, commands.front().position);
    open = co_await writer.write(event_of(commands.front()));
    commands = commands.subspan(1);
  }
  std::vector<std::string> unsent;
  for (const auto& command : commands) unsent.push_back(command.id);
  if (!unsent.empty()) (void)co_await store.give_back(std::move(unsent));
  co_return open;
}

/// False: the peer is gone.
async::Task<bool> wait(CommandStream& stream, std::chrono::steady_clock::duration time, web::BodyWriter& writer) {
  stream.wake.expires_after(time);
  const auto [woken] = co_await stream.wake.async_wait(async::as_result);
  co_return woken || co_await writer.write(": keep-alive\n\n");
}

// An agent that is gone is told to sign in again, whoever finds out first.
CommandStream::End end_of(CommandStore::Standing standing) {
  return standing == CommandStore::Standing::gone ? CommandStream::End::reauth : CommandStream::End::superseded;
}

/// False: the peer is gone.
async::Task<bool> deliver_due(CommandStore& store, const Clock& clock, CommandStream& stream, web::BodyWriter& writer) {
  stream.due = false;
  auto claimed = co_await store.claim(stream.stream.agent, stream.stream.epoch, stream.after, kBatch, clock());
  if (!claimed) {
    stream.due = true;
    co_return co_await wait(stream, kRetry, writer);
  }
  if (claimed->standing != CommandStore::Standing::newest) {
    stream.finish(end_of(claimed->standing));
    co_return true;
  }
  if (claimed->commands.size() == kBatch) stream.due = true;
  co_return co_await send(store, stream, claimed->commands, writer);
}

}  // namespace

bool CommandStreams::add(const std::shared_ptr<CommandStream>& stream) {
  auto& place = open_[stream->stream.agent];
  if (place && place->stream.epoch > stream->stream.epoch) return false;
  if (place) place->finish(CommandStream::End::superseded);
  place = stream;
  return true;
}

void CommandStreams::remove(const CommandStream& stream) {
  const auto found = open_.find(stream.stream.agent);
  if (found != open_.end() && found->second.get() == &stream) open_.erase(found);
}

void CommandStreams::notify(const agent::Key& agent) {
  const auto found = open_.find(agent);
  if (found != open_.end()) found->second->notify();
}

void CommandStreams::tell(const CommandStore::News& news) {
  const auto found = open_.find(news.stream.agent);
  if (found == open_.end() || found->second->stream.epoch != news.stream.epoch) return;
  if (news.standing == CommandStore::Standing::newest)
    found->second->notify();
  else
    found->second->finish(end_of(news.standing));
}

void CommandStreams::end_expired(Instant now) {
  for (auto& [agent, stream] : open_) {
    if (now >= stream->token_expires_at) stream->finish(CommandStream::End::reauth);
  }
}

void CommandStreams::end_of_keys(std::span<const std::string> key_refs) {
  const std::set<std::string_view> ended(key_refs.begin(), key_refs.end());
  for (auto& [agent, stream] : open_) {
    if (ended.contains(stream->key_ref)) stream->finish(CommandStream::End::reauth);
  }
}

std::vector<CommandStore::Stream> CommandStreams::streams() const {
  std::vector<CommandStore::Stream> streams;
  streams.reserve(open_.size());
  for (const auto& [agent, stream] : open_) streams.push_back(stream->stream);
  return streams;
}

std::vector<std::string> CommandStreams::key_refs() const {
  std::set<std::string> keys;
  for (const auto& [agent, stream] : open_) keys.insert(stream->key_ref);
  return {keys.begin(), keys.end()};
}

async::Task<> deliver_commands(CommandStore store, Clock clock, std::shared_ptr<CommandStreams> streams,
                               std::shared_ptr<CommandStream> stream, web::BodyWriter& writer) {
  if (!streams->add(stream)) co_return;
  const Place place(streams, stream);
  writer.on_closed([stream] { stream->wake.cancel(); });
  bool open = co_await writer.write(": connected\n\n");
  while (open && !writer.closed() && stream->end == CommandStream::End::none) {
    open =
        stream->due ? co_await deliver_due(store, clock, *stream, writer) : co_await wait(*stream, kKeepAlive, writer);
  }
  if (open && stream->end == CommandStream::End::reauth) {
    (void)co_await writer.write(web::render({.event = "reauth", .id = {}, .data = "{}"}));
  }
  writer.on_closed({});
}

}  // namespace cameleer::server
