#include "server/ingest/rejected_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <vector>

namespace cameleer::server {
namespace {

struct Kept {
  std::filesystem::path path;
  std::uint64_t bytes = 0;
};

// The oldest first: names begin with the instant.
std::vector<Kept> kept_in(const std::filesystem::path& directory) {
  std::vector<Kept> kept;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    std::error_code unknown;
    const auto bytes = entry.file_size(unknown);
    if (!unknown) kept.push_back({.path = entry.path(), .bytes = bytes});
  }
  std::ranges::sort(kept, {}, &Kept::path);
  return kept;
}

}  // namespace

void RejectedRows::make_room(std::uint64_t bytes) {
  auto kept = kept_in(directory_);
  std::uint64_t total = bytes;
  for (const auto& file : kept) total += file.bytes;
  std::size_t files = kept.size() + 1;
  for (const auto& file : kept) {
    if (files <= most_files && total <= most_bytes) return;
    std::error_code error;
    if (!std::filesystem::remove(file.path, error)) continue;
    --files;
    total -= file.bytes;
    ++evicted_;
  }
}

Expected<void> RejectedRows::keep(std::uint64_t id, Instant arrived, const std::string& record) {
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  std::filesystem::permissions(directory_, std::filesystem::perms::owner_all, error);
  make_room(record.size());
  const auto path = directory_ / fmt::format("{}-{}.record", format_instant(arrived), id);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(record.data(), static_cast<std::streamsize>(record.size()));
  file.close();
  if (file) return {};
  std::filesystem::remove(path, error);
  return fail(ErrorCode::unavailable, fmt::format("{} cannot be written.", path.string()));
}

}  // namespace cameleer::server
