#include "license-minter/file_access.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace cameleer::license_minter {
namespace {

namespace fs = std::filesystem;

class Descriptor {
 public:
  explicit Descriptor(int number, bool owned = true) : number_(number), owned_(owned) {}
  ~Descriptor() {
    if (owned_ && number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_;
  bool owned_;
};

std::string reason() {
  return std::system_category().message(errno);
}

std::unexpected<Error> unreadable(std::string_view why) {
  return fail(ErrorCode::not_found, fmt::format("cannot be read: {}", why));
}
std::unexpected<Error> unwritable(std::string_view why) {
  return fail(ErrorCode::unavailable, fmt::format("cannot be written: {}", why));
}

bool write_all(int file, std::string_view content) {
  while (!content.empty()) {
    const auto written = ::write(file, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// Up to `most` bytes; one more is an error.
Expected<SecretFile> read_at_most(const std::string& path, std::size_t most) {
  const bool standard_input = path == "-";
  const Descriptor file(standard_input ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC), !standard_input);
  struct stat status{};
  if (file.get() < 0 || fstat(file.get(), &status) != 0) return unreadable(reason());
  SecretFile result{.content = minting::SecretBytes(most + 1)};
  result.readable_by_others = S_ISREG(status.st_mode) && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0;
  std::size_t size = 0;
  while (size <= most) {
    const auto got = ::read(file.get(), result.content.data() + size, most + 1 - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(reason());
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > most) return unreadable(fmt::format("it has more than {} bytes", most));
  result.content.shrink(size);
  return result;
}

/// The file behind a symbolic link, whether it exists or not: it is replaced, and not the link.
fs::path behind_links(fs::path path) {
  constexpr int kMostLinks = 16;
  std::error_code error;
  for (int i = 0; i < kMostLinks && fs::is_symlink(path, error); ++i) {
    path = path.parent_path() / fs::read_symlink(path, error);
  }
  return path;
}

/// Puts the written temporary file in its place.
Expected<void> place(const std::string& temporary, const fs::path& path, Overwrite overwrite) {
  if (overwrite == Overwrite::yes) {
    if (::rename(temporary.c_str(), path.c_str()) == 0) return {};
    return unwritable(reason());
  }
  // Unlike rename, link never replaces.
  if (::link(temporary.c_str(), path.c_str()) != 0) return unwritable(reason());
  ::unlink(temporary.c_str());
  return {};
}

}  // namespace

Expected<SecretFile> read_secret_file(const std::string& path) {
  constexpr std::size_t kLongestKey = 16 * 1024;
  return read_at_most(path, kLongestKey);
}

Expected<std::string> read_text_file(const std::string& path, std::size_t most) {
  const auto file = read_at_most(path, most);
  if (!file) return std::unexpected(file.error());
  return std::string(file->content.text());
}

Expected<void> write_file(const fs::path& asked, std::string_view content, unsigned mode, Overwrite overwrite) {
  std::error_code error;
  const auto path = behind_links(asked);
  const auto kind = fs::status(path, error).type();
  if (kind != fs::file_type::not_found && kind != fs::file_type::regular) return unwritable("it is no regular file");
  auto temporary = (path.parent_path() / fmt::format(".{}.XXXXXX", path.filename().string())).string();
  const Descriptor file(mkostemp(temporary.data(), O_CLOEXEC));
  if (file.get() < 0) return unwritable(reason());
  Expected<void> written;
  if (fchmod(file.get(), mode) != 0 || !write_all(file.get(), content) || fsync(file.get()) != 0) {
    written = unwritable(reason());
  } else {
    written = place(temporary, path, overwrite);
  }
  if (!written) ::unlink(temporary.c_str());
  return written;
}

void remove_file(const fs::path& path) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) fs::remove(path, error);
}

Expected<void> write_stdout(std::string_view content) {
  if (write_all(STDOUT_FILENO, content)) return {};
  return unwritable(reason());
}

}  // namespace cameleer::license_minter
