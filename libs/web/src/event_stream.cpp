#include <cameleer/web/event_stream.hpp>

namespace cameleer::web {

std::string render(const Event& event) {
  std::string text;
  const auto line = [&text](std::string_view field, std::string_view value) {
    text.append(field).append(": ").append(value).append("\n");
  };
  if (!event.id.empty()) line("id", event.id);
  if (!event.event.empty()) line("event", event.event);
  for (std::string_view rest = event.data;;) {
    const auto end = rest.find_first_of("\r\n");
    line("data", rest.substr(0, end));
    if (end == rest.npos) break;
    const bool both = rest.substr(end).starts_with("\r\n");
    rest.remove_prefix(end + (both ? 2 : 1));
  }
  text += '\n';
  return text;
}

EventQueue::EventQueue(async::Executor executor, std::size_t capacity) : wake_(executor), capacity_(capacity) {}

bool EventQueue::publish(Event event) {
  if (closed_ || waiting_.size() >= capacity_) return false;
  waiting_.push_back(render(event));
  wake_.cancel();
  return true;
}

void EventQueue::close() {
  closed_ = true;
  wake_.cancel();
}

async::Task<> EventQueue::run(BodyWriter& writer, std::chrono::seconds keepalive) {
  writer.on_closed([this] { wake_.cancel(); });
  std::string batch;
  while (!writer.closed()) {
    if (waiting_.empty()) {
      if (closed_) break;
      wake_.expires_after(keepalive);
      auto [cancelled] = co_await wake_.async_wait(async::as_result);
      if (!cancelled && waiting_.empty() && !co_await writer.write(": keep-alive\n\n")) break;
      continue;
    }
    batch.clear();
    for (const auto& event : waiting_) batch += event;
    waiting_.clear();
    if (!co_await writer.write(batch)) break;
  }
  writer.on_closed({});
}

Response event_stream(std::function<async::Task<>(BodyWriter&)> writer) {
  Response response{200, "text/event-stream", {}};
  response.headers.push_back({"X-Accel-Buffering", "no"});
  response.stream = std::move(writer);
  return response;
}

}  // namespace cameleer::web
