#include "server/data_directory/data_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

namespace cameleer::server {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFirstStartHead =
    "# Written at the first start of this server, which keeps no copy of these secrets.\n"
    "# Store them elsewhere, then delete this file.\n";

std::unexpected<Error> refused(const fs::path& path, const std::string& reason) {
  return fail(ErrorCode::bad_configuration, fmt::format("{}: {}", path.string(), reason), "cameleer.server.data-dir");
}

std::string text_of(int number) {
  return std::error_code(number, std::generic_category()).message();
}

/// A file descriptor that closes itself.
struct Descriptor {
  int number = -1;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

/// Writes beside the target, syncs and renames, so that a full disk or a crash leaves the old file or the new one.
Expected<void> replace_file(const fs::path& path, std::string_view content) {
  const fs::path draft = path.string() + ".new";
  {
    Descriptor file{::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (file.number < 0) return refused(draft, text_of(errno));
    while (!content.empty()) {
      const auto written = ::write(file.number, content.data(), content.size());
      if (written < 0) return refused(draft, text_of(errno));
      content.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(file.number) != 0) return refused(draft, text_of(errno));
  }
  if (::rename(draft.c_str(), path.c_str()) != 0) return refused(path, text_of(errno));
  Descriptor folder{::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (folder.number >= 0) ::fsync(folder.number);
  return {};
}

}  // namespace

Expected<DataDirectory> DataDirectory::open(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return refused(path, "cannot be created: " + error.message());
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return refused(path, text_of(errno));
  if (status.st_uid != ::geteuid()) {
    return refused(path, fmt::format("belongs to user id {}, this server runs as {}", status.st_uid, ::geteuid()));
  }
  // Traversable, not readable: the embedded PostgreSQL runs as another user and has a directory of its own below.
  if (::chmod(path.c_str(), 0711) != 0) return refused(path, text_of(errno));
  const auto lock_path = path / "server.lock";
  const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return refused(lock_path, text_of(errno));
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock);
    return refused(path, "is in use by another cameleer-server");
  }
  return DataDirectory(path, lock);
}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

DataDirectory::~DataDirectory() {
  if (lock_ >= 0) ::close(lock_);
}

Expected<DataDirectory::MasterKey> DataDirectory::master_key(const Random& random) const {
  const auto file = path_ / "master.key";
  Descriptor reader{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (reader.number >= 0) {
    struct stat status{};
    if (::fstat(reader.number, &status) != 0) return refused(file, text_of(errno));
    if ((status.st_mode & 077) != 0) return refused(file, "must be readable by its owner only (chmod 600)");
    std::string bytes(33, '\0');
    const auto length = ::read(reader.number, bytes.data(), bytes.size());
    if (length != 32) return refused(file, "must hold exactly 32 bytes");
    bytes.resize(32);
    return MasterKey{std::move(bytes), false};
  }
  if (errno != ENOENT) return refused(file, text_of(errno));
  std::string bytes(32, '\0');
  random(std::as_writable_bytes(std::span(bytes)));
  if (auto written = replace_file(file, bytes); !written) return std::unexpected(written.error());
  return MasterKey{std::move(bytes), true};
}

Expected<fs::path> DataDirectory::note_first_start(const std::string& name, const std::string& value) const {
  auto file = path_ / "first-start.txt";
  std::string text;
  std::ifstream present(file);
  for (std::string line; std::getline(present, line);) {
    if (!line.starts_with('#') && !line.starts_with(name + "=")) text += line + "\n";
  }
  text = std::string(kFirstStartHead) + text + name + "=" + value + "\n";
  if (auto written = replace_file(file, text); !written) return std::unexpected(written.error());
  return file;
}

}  // namespace cameleer::server
