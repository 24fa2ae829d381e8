#pragma once
#include <cameleer/journal/journal.hpp>
#include <filesystem>
#include <memory>
#include <optional>

#include "server/ingest/journal_record.hpp"
#include "server/ingest/rejected_rows.hpp"

namespace cameleer::server {

/// The blocking half of `JournaledWriter`: the journal of this process, those that dead ones left, and the files of
/// what was refused. One thread at a time.
class JournalDisk {
 public:
  /// A request with its record, and a record that waits.
  struct Added {
    std::shared_ptr<const EncodedRows> rows;
    RecordNote note = {};
  };
  struct Known {
    std::uint64_t id = 0, bytes = 0;
    RecordNote note = {};
  };
  /// What one commit is to do, and what came of it.
  struct Commit {
    std::vector<Added> added = {};
    std::vector<std::uint64_t> removed = {};
    Expected<std::uint64_t> first = 0;  ///< id of the first one added
    bool removals_done = false;
    std::uint64_t bytes = 0;  ///< in the journal then
  };
  /// A journal of a dead process that cannot be read, and why.
  struct Unusable {
    std::filesystem::path journal;
    std::string reason;
  };
  /// What came of a look at what dead processes left.
  struct Adopted {
    std::vector<Known> records = {};  ///< ours now
    std::vector<Unusable> unusable = {};
    bool whole = true;  ///< every journal was looked at
  };
  /// Records joined for the store. `damaged` ones have no part in it.
  struct Joined {
    EncodedRows rows = {};
    std::vector<std::uint64_t> damaged = {};
  };

  /// `directory` holds the journals of all processes of `tenant` that share it, `<tenant>-<number>` each.
  JournalDisk(std::filesystem::path directory, std::string tenant, std::uint64_t capacity,
              std::filesystem::path rejected);

  /// Whether there is a journal of the tenant, in use or left behind.
  [[nodiscard]] bool exists() const { return !siblings().empty(); }
  /// Takes the first journal that nobody has, which may be a dead process's; what waits in it.
  Expected<std::vector<Known>> open();
  void carry_out(Commit& commit);
  /// `unavailable` when the disk does not give them; ids that were removed are no error.
  Expected<Joined> join(const std::vector<std::uint64_t>& ids);
  /// Written whole and synced before the journal may forget it.
  Expected<void> set_aside(std::uint64_t id, Instant arrived);
  /// Takes over up to 16 MiB of what dead processes left; an emptied journal is removed. No records: there are no more,
  /// or our journal has no room for them. What cannot be read stays where it is.
  Adopted adopt();

  [[nodiscard]] std::uint64_t bytes() const { return journal_->bytes(); }
  [[nodiscard]] std::uint64_t evicted() const { return rejected_.evicted(); }
  [[nodiscard]] std::size_t set_aside_files() const { return rejected_.files(); }

 private:
  [[nodiscard]] std::vector<std::filesystem::path> siblings() const;
  [[nodiscard]] bool finish_move();
  Expected<std::vector<Known>> move_some(journal::Journal from);

  std::filesystem::path directory_, own_;
  std::string tenant_;
  journal::Options options_;
  std::optional<journal::Journal> journal_;
  /// Records that are ours already and still lie there as well. It stays locked until they do not.
  struct Move {
    journal::Journal from;
    std::vector<std::uint64_t> ids;
  };
  std::optional<Move> unfinished_;
  RejectedRows rejected_;
};

}  // namespace cameleer::server
