#pragma once
#include <cameleer/core/instant.hpp>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cameleer::server {

/// When API keys were used, between a use and its row: each key is told of at most once a minute. Bounded: a key beyond
/// `most` is told of later, when it is used again. I/O thread only.
class KeyUses {
 public:
  static constexpr std::chrono::minutes every{1};
  explicit KeyUses(std::size_t most = 10'000) : most_(most) {}

  void note(const std::string& key_id, Instant now);
  /// The uses that are to be written now; they count as written.
  std::vector<std::pair<std::string, Instant>> take_due(Instant now);
  /// They were not written after all.
  void put_back(const std::vector<std::pair<std::string, Instant>>& taken);

 private:
  struct Entry {
    Instant used{};
    std::optional<Instant> told_at = {};  ///< when a use was last taken
    bool untold = true;                   ///< used since
  };
  std::size_t most_;
  std::map<std::string, Entry> entries_;
};

}  // namespace cameleer::server
