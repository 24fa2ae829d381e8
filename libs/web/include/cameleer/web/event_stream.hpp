#pragma once
#include <cameleer/web/message.hpp>

namespace cameleer::web {

/// One server-sent event (WHATWG HTML, 9.2). Line breaks in `data` become several `data:` lines.
struct Event {
  std::string_view event;  ///< empty: `message`
  std::string_view id;
  std::string_view data;
};

std::string render(const Event& event);

/// A bounded mailbox between producers on the I/O thread and the one writer of a stream. `publish` never waits: when
/// `capacity` events wait already it returns false and the stream's owner decides (gap event, close).
class EventQueue {
 public:
  EventQueue(async::Executor executor, std::size_t capacity);
  bool publish(Event event);
  void close();
  /// Writes events as they come, and a comment line every `keepalive`, until closed or the peer is gone.
  async::Task<> run(BodyWriter& writer, std::chrono::seconds keepalive = std::chrono::seconds(15));

 private:
  async::SteadyTimer wake_;
  std::vector<std::string> waiting_;
  std::size_t capacity_;
  bool closed_ = false;
};

/// An answer of type text/event-stream whose body is `writer`.
Response event_stream(std::function<async::Task<>(BodyWriter&)> writer);

}  // namespace cameleer::web
