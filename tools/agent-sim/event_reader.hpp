#pragma once
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace cameleer::sim {

/// One event of a `text/event-stream`, or a comment in it.
struct StreamEvent {
  std::string name, id, data;
  bool comment = false;
  friend bool operator==(const StreamEvent&, const StreamEvent&) = default;
};

/// Reads a stream of server-sent events from pieces of any size (WHATWG HTML, 9.2). Lines end with LF or CR LF. An
/// event that grows beyond 2 MiB is left out.
class EventReader {
 public:
  void feed(std::string_view bytes);
  /// The next whole event or comment, in order.
  std::optional<StreamEvent> take();

 private:
  void read_line(std::string_view line);

  std::string rest_;
  StreamEvent event_;
  bool has_data_ = false;
  std::deque<StreamEvent> ready_;
};

}  // namespace cameleer::sim
