#include "server/license/license_file.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <system_error>

namespace cameleer::server {
namespace {

constexpr std::size_t kLongest = 64 * 1024;
constexpr const char* kWhiteSpace = " \t\r\n";

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(kWhiteSpace);
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(kWhiteSpace) - first + 1);
}

/// Not there, as far as anybody can tell; what hides it otherwise (no right to look) is a problem to tell.
bool says_absent(int error) {
  return error == ENOENT || error == ENOTDIR;
}

}  // namespace

LicenseFile read_license_file(const std::string& path) {
  LicenseFile file;
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    const int error = errno;
    if (says_absent(error)) return file;
    file.present = true;
    file.problem = "the file cannot be looked at: " + std::generic_category().message(error);
    return file;
  }
  file.present = true;
  if (!S_ISREG(status.st_mode)) {
    file.problem = "it is not a file";
    return file;
  }
  std::ifstream stream(path, std::ios::binary);
  std::string text(kLongest + 1, '\0');
  if (stream) stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!stream.is_open() || stream.bad()) {
    file.problem = "the file cannot be read";
    return file;
  }
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > kLongest) {
    file.problem = fmt::format("the file is larger than {} KiB", kLongest / 1024);
    return file;
  }
  file.text = trimmed(text);
  return file;
}

std::string license_file_stamp(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return says_absent(errno) ? "" : "hidden";
  return fmt::format("{} {} {} {} {}.{} {}.{}", status.st_dev, status.st_ino, status.st_mode, status.st_size,
                     status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
}

}  // namespace cameleer::server
