#pragma once
#include <cameleer/core/error.hpp>
#include <cameleer/core/instant.hpp>
#include <filesystem>
#include <string>

namespace cameleer::server {

/// The server's own directory: locked by one server at a time, 0700, with the root key and the first-start file.
class DataDirectory {
 public:
  /// Creates the directory when missing and locks it. `bad_configuration` with one sentence: not writable, owned by
  /// another user, used by another server.
  static Expected<DataDirectory> open(const std::filesystem::path& path);
  DataDirectory(DataDirectory&& other) noexcept;
  DataDirectory& operator=(DataDirectory&&) = delete;
  ~DataDirectory();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  /// The 32 bytes of `master.key`, made at the first call ever. `created` says whether that was now.
  struct MasterKey {
    std::string bytes;
    bool created = false;
  };
  [[nodiscard]] Expected<MasterKey> master_key(const Random& random) const;

  /// Puts `name=value` into `first-start.txt` (0600), keeping its other lines; complete or not at all. Gives its path.
  [[nodiscard]] Expected<std::filesystem::path> note_first_start(const std::string& name,
                                                                 const std::string& value) const;

 private:
  DataDirectory(std::filesystem::path path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::filesystem::path path_;
  int lock_ = -1;
};

}  // namespace cameleer::server
