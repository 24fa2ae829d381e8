#pragma once
#include <cameleer/core/error.hpp>
#include <cameleer/core/instant.hpp>
#include <cstdint>
#include <filesystem>
#include <string_view>

namespace cameleer::server {

/// Where requests go that were acknowledged and that the store refuses for good: a file each, for people to look at. At
/// most `most_files` and `most_bytes`; the oldest make room, and `evicted` counts them. Blocking: for a worker.
class RejectedRows {
 public:
  static constexpr std::size_t most_files = 1'000;
  static constexpr std::uint64_t most_bytes = 256u << 20;

  explicit RejectedRows(std::filesystem::path directory) : directory_(std::move(directory)) {}

  /// On disk at the return, also after a loss of power. `unavailable` when the disk refuses. The file:
  /// `<instant>-<id>.record`, bytes as in the journal.
  Expected<void> keep(std::uint64_t id, Instant arrived, std::string_view record);
  [[nodiscard]] std::uint64_t evicted() const { return evicted_; }
  /// Files that are there, whoever put them there.
  [[nodiscard]] std::size_t files() const;

 private:
  void make_room(std::uint64_t bytes);
  std::filesystem::path directory_;
  std::uint64_t evicted_ = 0;
};

}  // namespace cameleer::server
