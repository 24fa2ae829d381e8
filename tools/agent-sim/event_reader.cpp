#include "agent-sim/event_reader.hpp"

namespace cameleer::sim {
namespace {

constexpr std::size_t kMaxEvent = 2u << 20;

}  // namespace

void EventReader::feed(std::string_view bytes) {
  rest_ += bytes;
  std::size_t begin = 0;
  for (auto end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', begin)) {
    auto line = std::string_view(rest_).substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    read_line(line);
    begin = end + 1;
  }
  rest_.erase(0, begin);
  if (rest_.size() > kMaxEvent) rest_.clear();
}

void EventReader::read_line(std::string_view line) {
  if (line.empty()) {
    if (has_data_ && event_.data.size() <= kMaxEvent) ready_.push_back(std::move(event_));
    event_ = {};
    has_data_ = false;
    return;
  }
  if (line.front() == ':') {
    ready_.push_back({{}, {}, std::string(line.substr(1)), true});
    return;
  }
  const auto colon = line.find(':');
  const auto field = line.substr(0, colon);
  auto value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") event_.name = value;
  if (field == "id") event_.id = value;
  if (field != "data" || event_.data.size() > kMaxEvent) return;
  if (has_data_) event_.data += '\n';
  event_.data += value;
  has_data_ = true;
}

std::optional<StreamEvent> EventReader::take() {
  if (ready_.empty()) return std::nullopt;
  auto event = std::move(ready_.front());
  ready_.pop_front();
  return event;
}

}  // namespace cameleer::sim
