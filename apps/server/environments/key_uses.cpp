#include "server/environments/key_uses.hpp"

namespace cameleer::server {

void KeyUses::note(const std::string& key_id, Instant now) {
  const auto found = entries_.find(key_id);
  if (found != entries_.end()) {
    found->second.used = now;
    found->second.untold = true;
  } else if (entries_.size() < most_) {
    entries_.emplace(key_id, Entry{.used = now});
  }
}

std::vector<std::pair<std::string, Instant>> KeyUses::take_due(Instant now) {
  std::vector<std::pair<std::string, Instant>> due;
  for (auto at = entries_.begin(); at != entries_.end();) {
    auto& [id, entry] = *at;
    const bool rested = !entry.told_at || now - *entry.told_at >= every;
    if (rested && !entry.untold) {
      at = entries_.erase(at);
      continue;
    }
    if (rested) {
      due.emplace_back(id, entry.used);
      entry.told_at = now;
      entry.untold = false;
    }
    ++at;
  }
  return due;
}

void KeyUses::put_back(const std::vector<std::pair<std::string, Instant>>& taken) {
  for (const auto& [id, used] : taken) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) continue;
    found->second.told_at.reset();
    found->second.untold = true;
  }
}

}  // namespace cameleer::server
