#pragma once
#include <sys/types.h>

#include <cameleer/core/error.hpp>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace cameleer::engines {

/// The user that an engine's files belong to.
struct Owner {
  uid_t uid = 0;
  gid_t gid = 0;
  std::string name;
};

/// This process's own user.
Owner own_user();
/// The user `name`; an error when there is none.
Expected<Owner> find_user(const std::string& name);

/// Makes `path` (its parent must be there) with mode 0700 for `owner`, or checks that an existing one is a directory of
/// `owner`'s, to which others have no access (an open mode is narrowed). Every parent must let `owner` pass.
Expected<void> make_private_directory(const std::string& path, const Owner& owner);

/// At least `bytes` free on the file system of `path`.
Expected<void> check_free_space(const std::string& path, std::uint64_t bytes);

/// Replaces a file whole: written beside it with mode 0600 for `owner`, synced, renamed.
Expected<void> write_private_file(const std::string& path, std::string_view content, const Owner& owner);

/// The first line of a small file; empty when it cannot be read.
std::string read_first_line(const std::string& path);

/// 32 random bytes as hexadecimal digits.
std::string random_password();

/// An flock on a file, let go with the object or with the process, however that ends.
class FileLock {
 public:
  FileLock() = default;
  FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();
  /// Tries once; false: someone else holds it.
  Expected<bool> try_lock(const std::string& path);
  [[nodiscard]] bool held() const { return fd_ >= 0; }
  void release();

 private:
  int fd_ = -1;
};

}  // namespace cameleer::engines
