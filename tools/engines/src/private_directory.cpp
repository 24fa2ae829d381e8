#include "private_directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>
#include <vector>

namespace cameleer::engines {
namespace {

std::unexpected<Error> refuse(std::string sentence) {
  return fail(ErrorCode::bad_configuration, std::move(sentence));
}

Expected<Owner> owner_from(int failure, const passwd* found, const std::string& name) {
  if (failure != 0 || found == nullptr) {
    return refuse(fmt::format("There is no user {} on this machine, who would run the engine.", name));
  }
  return Owner{found->pw_uid, found->pw_gid, found->pw_name};
}

bool may_pass(const struct stat& directory, const Owner& owner) {
  if (owner.uid == 0) return true;
  if (directory.st_uid == owner.uid) return (directory.st_mode & S_IXUSR) != 0;
  if (directory.st_gid == owner.gid) return (directory.st_mode & S_IXGRP) != 0;
  return (directory.st_mode & S_IXOTH) != 0;
}

Expected<void> check_parents(const std::string& path, const Owner& owner) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string parent = path.substr(0, slash);
    struct stat info{};
    if (stat(parent.c_str(), &info) != 0)
      return refuse(fmt::format("The directory {} is not there: {}.", parent, std::generic_category().message(errno)));
    if (!may_pass(info, owner)) {
      return refuse(
          fmt::format("The user {} cannot pass the directory {} (mode {:04o}) on the way to {}: give others its x.",
                      owner.name, parent, info.st_mode & 07777U, path));
    }
  }
  return {};
}

}  // namespace

Owner own_user() {
  Owner owner{geteuid(), getegid(), fmt::format("{}", geteuid())};
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(owner.uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
    owner.name = entry.pw_name;
  return owner;
}

Expected<Owner> find_user(const std::string& name) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const int failure = getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  return owner_from(failure, found, name);
}

Expected<void> make_private_directory(const std::string& path, const Owner& owner) {
  if (!path.starts_with('/')) return refuse(fmt::format("The directory {} must be given as an absolute path.", path));
  if (auto parents = check_parents(path, owner); !parents) return parents;
  const bool made = mkdir(path.c_str(), 0700) == 0;
  if (!made && errno != EEXIST)
    return refuse(fmt::format("The directory {} cannot be made: {}.", path, std::generic_category().message(errno)));
  if (made && geteuid() == 0 && lchown(path.c_str(), owner.uid, owner.gid) != 0) {
    return refuse(fmt::format("The directory {} cannot be given to {}: {}.", path, owner.name,
                              std::generic_category().message(errno)));
  }
  struct stat info{};
  if (lstat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode))
    return refuse(fmt::format("{} is not a directory.", path));
  if (info.st_uid != owner.uid) {
    return refuse(fmt::format("The directory {} belongs to user {}, not to {}, who runs the engine.", path, info.st_uid,
                              owner.name));
  }
  if ((info.st_mode & 07777U) != 0700U && chmod(path.c_str(), 0700) != 0) {
    return refuse(
        fmt::format("The directory {} cannot be given mode 0700: {}.", path, std::generic_category().message(errno)));
  }
  if (access(path.c_str(), W_OK | X_OK) != 0) {
    return refuse(fmt::format("The directory {} cannot be written: {}.", path, std::generic_category().message(errno)));
  }
  return {};
}

Expected<void> check_free_space(const std::string& path, std::uint64_t bytes) {
  struct statvfs info{};
  if (statvfs(path.c_str(), &info) != 0)
    return refuse(
        fmt::format("The file system of {} cannot be asked: {}.", path, std::generic_category().message(errno)));
  const std::uint64_t free = std::uint64_t{info.f_bavail} * info.f_frsize;
  if (free >= bytes) return {};
  return refuse(fmt::format("The file system of {} has {} MiB free; at least {} MiB are needed.", path, free >> 20U,
                            bytes >> 20U));
}

Expected<void> write_private_file(const std::string& path, std::string_view content, const Owner& owner) {
  const auto broken = [&] {
    return refuse(fmt::format("{} cannot be written: {}.", path, std::generic_category().message(errno)));
  };
  const std::string fresh = path + ".new";
  unlink(fresh.c_str());
  // O_EXCL and O_NOFOLLOW: the directory may belong to a user with fewer rights than ours.
  const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return broken();
  const bool written = (geteuid() != 0 || fchown(fd, owner.uid, owner.gid) == 0) &&
                       write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
                       fsync(fd) == 0;
  const int reason = errno;
  close(fd);
  errno = reason;
  if (!written || rename(fresh.c_str(), path.c_str()) != 0) return broken();
  return {};
}

std::string read_first_line(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

std::string random_password() {
  std::array<unsigned char, 32> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) std::abort();
  std::string text;
  for (const unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  if (this != &other) {
    release();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

FileLock::~FileLock() {
  release();
}

void FileLock::release() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

Expected<bool> FileLock::try_lock(const std::string& path) {
  if (held()) return true;
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return refuse(fmt::format("{} cannot be written: {}.", path, std::generic_category().message(errno)));
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
    fd_ = fd;
    return true;
  }
  close(fd);
  return false;
}

}  // namespace cameleer::engines
