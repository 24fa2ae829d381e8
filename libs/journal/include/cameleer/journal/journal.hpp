#pragma once
#include <cameleer/core/error.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace cameleer::journal {

struct Options {
  /// Room for records, in bytes. The file grows as it is used, to a quarter more than this, and keeps its size.
  std::uint64_t capacity = 4ULL << 30;
};

/// A record that waits, without its bytes.
struct Waiting {
  std::uint64_t id = 0;
  std::uint64_t bytes = 0;
};

/// Records on disk, in the order of their ids, until they are removed. What `commit` returned for survives the death of
/// the process and, on disks that keep what they acknowledge, a loss of power.
///
/// Calls block (a commit waits for the disk): from any thread, one call at a time. One process at a time: a second
/// `open` of the same directory fails.
class Journal {
 public:
  /// Makes the directory (0700) when missing. `bad_configuration` with one sentence: not writable, in use, damaged, of
  /// a newer version.
  static Expected<Journal> open(std::filesystem::path directory, Options options);
  Journal(Journal&&) noexcept;
  Journal& operator=(Journal&&) noexcept;
  ~Journal();

  /// In one step, durable at the return: adds records and removes others (ids that are not there are no error). The id
  /// of the first one added; the others follow it by one each. `overloaded`: no room, nothing changed; `unavailable`:
  /// the disk refuses, nothing changed.
  Expected<std::uint64_t> commit(std::span<const std::string> added, std::span<const std::uint64_t> removed);

  /// Nothing when it was removed.
  Expected<std::optional<std::string>> read(std::uint64_t id);
  /// All that wait, in order.
  Expected<std::vector<Waiting>> waiting();

  [[nodiscard]] std::uint64_t records() const;
  [[nodiscard]] std::uint64_t bytes() const;  ///< room that the records take, whole pages each
  [[nodiscard]] std::uint64_t capacity() const;

 private:
  struct Impl;
  explicit Journal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cameleer::journal
