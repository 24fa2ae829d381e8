#include "server/ingest/rejected_rows.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
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

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(file, bytes.data(), bytes.size());
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool write_synced(const std::filesystem::path& path, std::string_view bytes) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return false;
  const bool written = write_all(file, bytes) && ::fsync(file) == 0;
  return ::close(file) == 0 && written;
}

void sync_directory(const std::filesystem::path& directory) {
  const int folder = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  ::fsync(folder);
  ::close(folder);
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

std::size_t RejectedRows::files() const {
  return kept_in(directory_).size();
}

Expected<void> RejectedRows::keep(std::uint64_t id, Instant arrived, std::string_view record) {
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  std::filesystem::permissions(directory_, std::filesystem::perms::owner_all, error);
  make_room(record.size());
  const auto path = directory_ / fmt::format("{}-{}.record", format_instant(arrived), id);
  if (write_synced(path, record)) {
    sync_directory(directory_);
    return {};
  }
  std::filesystem::remove(path, error);
  return fail(ErrorCode::unavailable, fmt::format("{} cannot be written.", path.string()));
}

}  // namespace cameleer::server
