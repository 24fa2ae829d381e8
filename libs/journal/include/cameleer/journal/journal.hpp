#pragma once
#include <cameleer/core/error.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cameleer::journal {

struct Options {
  /// Room for records, in bytes. The file grows as it is used, to a quarter more than this, and keeps its size.
  std::uint64_t capacity = 4ULL << 30;
};

/// A record to add. Its bytes are joined where the journal keeps them, so that nobody has to join them before; what the
/// pieces view outlives the call.
struct Record {
  std::vector<std::string_view> pieces;
  std::string note = {};  ///< at most `most_note` bytes, told of what waits without reading the record
};
inline constexpr std::size_t most_note = 64;

/// A record that waits, without its bytes.
struct Waiting {
  std::uint64_t id = 0;
  std::uint64_t bytes = 0;
  std::string note = {};
};

/// What a record of so many bytes takes of `capacity`: whole pages.
std::uint64_t room_of(std::uint64_t bytes);

/// Records on disk, in the order of their ids, until they are removed. What `commit` returned for survives the death of
/// the process and, on disks that keep what they acknowledge, a loss of power.
///
/// Calls block (a commit waits for the disk): from any thread, one call at a time. One process at a time: a second
/// `open` of the same directory fails.
class Journal {
 public:
  /// Makes the directory (0700) when missing. `conflict`: another process has it. `bad_configuration` with one
  /// sentence: not writable, damaged, of a newer version.
  static Expected<Journal> open(std::filesystem::path directory, Options options);
  Journal(Journal&&) noexcept;
  Journal& operator=(Journal&&) noexcept;
  ~Journal();

  /// In one step, durable at the return: adds records and removes others (ids that are not there are no error). The id
  /// of the first one added; the others follow it by one each. An id is not used again while the journal is open.
  /// `overloaded`: no room, nothing changed; `unavailable`: the disk refuses, nothing changed.
  Expected<std::uint64_t> commit(std::span<const Record> added, std::span<const std::uint64_t> removed);

  /// Shows the bytes of a record, where they lie and until `see` returns; it must not call the journal. False when it
  /// was removed.
  Expected<bool> read(std::uint64_t id, const std::function<void(std::string_view bytes)>& see);
  /// All that wait, in order.
  Expected<std::vector<Waiting>> waiting();

  /// Ends an empty one and removes its directory. No other process gets it in between.
  static void remove(Journal journal);

  [[nodiscard]] std::uint64_t records() const;
  [[nodiscard]] std::uint64_t bytes() const;  ///< room that the records take, `room_of` each
  [[nodiscard]] std::uint64_t capacity() const;

 private:
  struct Impl;
  explicit Journal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cameleer::journal
