#include "server/ingest/journal_disk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

namespace cameleer::server {
namespace {

constexpr unsigned kMostProcesses = 64;  // that share a directory
constexpr std::uint64_t kMostMoved = 16u << 20;

JournalDisk::Known known(const journal::Waiting& record) {
  return {.id = record.id, .bytes = record.bytes, .note = RecordNote::read(record.note)};
}

}  // namespace

JournalDisk::JournalDisk(std::filesystem::path directory, std::string tenant, std::uint64_t capacity,
                         std::filesystem::path rejected)
    : directory_(std::move(directory)),
      tenant_(std::move(tenant)),
      options_{.capacity = capacity},
      rejected_(std::move(rejected)) {}

Expected<std::vector<JournalDisk::Known>> JournalDisk::open() {
  for (unsigned number = 0; number < kMostProcesses && !journal_; ++number) {
    own_ = directory_ / fmt::format("{}-{}", tenant_, number);
    auto made = journal::Journal::open(own_, options_);
    if (made)
      journal_.emplace(std::move(*made));
    else if (made.error().code != ErrorCode::conflict)
      return std::unexpected(std::move(made.error()));
  }
  if (!journal_) {
    return fail(ErrorCode::bad_configuration,
                fmt::format("All {} journals in {} are in use.", kMostProcesses, directory_.string()));
  }
  const auto waiting = journal_->waiting();
  if (!waiting) return std::unexpected(waiting.error());
  std::vector<Known> all;
  all.reserve(waiting->size());
  std::ranges::transform(*waiting, std::back_inserter(all), known);
  return all;
}

// A journal that is full, or a disk that refuses more, must still be able to forget; that may make the room.
void JournalDisk::carry_out(Commit& commit) {
  std::deque<JournalRecord> encoded;
  std::vector<journal::Record> added;
  added.reserve(commit.added.size());
  for (const auto& one : commit.added) {
    encoded.emplace_back(*one.rows, one.note.arrived);
    added.push_back({.pieces = encoded.back().pieces(), .note = one.note.bytes()});
  }
  commit.first = journal_->commit(added, commit.removed);
  commit.removals_done = commit.first || journal_->commit({}, commit.removed);
  if (!commit.first && commit.removals_done && !commit.removed.empty()) commit.first = journal_->commit(added, {});
  commit.bytes = journal_->bytes();
}

Expected<JournalDisk::Joined> JournalDisk::join(const std::vector<std::uint64_t>& ids) {
  Joined joined;
  JoinedRecords records(ids.size());
  for (const auto id : ids) {
    bool damaged = false;
    const auto found = journal_->read(id, [&](std::string_view bytes) { damaged = !records.add(bytes).has_value(); });
    if (!found) return std::unexpected(found.error());
    if (damaged) joined.damaged.push_back(id);
  }
  joined.rows = records.take();
  return joined;
}

Expected<void> JournalDisk::set_aside(std::uint64_t id, Instant arrived) {
  Expected<void> kept;
  const auto found = journal_->read(id, [&](std::string_view bytes) { kept = rejected_.keep(id, arrived, bytes); });
  if (!found) return std::unexpected(found.error());
  return kept;
}

std::vector<std::filesystem::path> JournalDisk::siblings() const {
  std::vector<std::filesystem::path> all;
  std::error_code error;
  const auto prefix = tenant_ + "-";
  for (const auto& entry : std::filesystem::directory_iterator(directory_, error)) {
    const auto name = entry.path().filename().string();
    const bool ours = name.size() > prefix.size() && name.starts_with(prefix) &&
                      name.find_first_not_of("0123456789", prefix.size()) == std::string::npos;
    if (ours && entry.path() != own_) all.push_back(entry.path());
  }
  // Where the journal was when each data directory had one.
  if (std::filesystem::exists(directory_ / "data.mdb", error)) all.push_back(directory_);
  return all;
}

// Whether nothing that is ours lies there any more. It would be taken over again and again, else.
bool JournalDisk::finish_move() {
  if (unfinished_ && !unfinished_->from.commit({}, unfinished_->ids)) return false;
  unfinished_.reset();
  return true;
}

// Ours first, then gone there: a death in between leaves a record in both, which shows nothing twice. The error is of
// the journal there; of ours others hear.
Expected<std::vector<JournalDisk::Known>> JournalDisk::move_some(journal::Journal from) {
  const auto waiting = from.waiting();
  if (!waiting) return std::unexpected(waiting.error());
  std::vector<std::string> bytes;
  std::vector<std::uint64_t> ids;
  std::vector<Known> moved;
  std::uint64_t total = 0;
  for (const auto& record : *waiting) {
    if (!ids.empty() && total + record.bytes > kMostMoved) break;
    total += record.bytes;
    auto& copy = bytes.emplace_back();
    if (auto read = from.read(record.id, [&copy](std::string_view shown) { copy = shown; }); !read) {
      return std::unexpected(std::move(read.error()));
    }
    ids.push_back(record.id);
    moved.push_back(known(record));
  }
  std::vector<journal::Record> added;
  for (std::size_t i = 0; i < ids.size(); ++i) added.push_back({.pieces = {bytes[i]}, .note = (*waiting)[i].note});
  auto first = journal_->commit(added, {});
  if (!first) return std::vector<Known>();
  for (auto& record : moved) record.id = (*first)++;
  unfinished_.emplace(std::move(from), std::move(ids));
  (void)finish_move();
  return moved;
}

JournalDisk::Adopted JournalDisk::adopt() {
  Adopted adopted;
  adopted.whole = finish_move();
  if (!adopted.whole) return adopted;
  for (const auto& path : siblings()) {
    // A removal needs room, however full it was left.
    std::error_code unknown;
    const auto size = std::filesystem::file_size(path / "data.mdb", unknown);
    auto left = journal::Journal::open(path, {.capacity = unknown ? options_.capacity : size});
    if (left && left->records() == 0) {
      journal::Journal::remove(std::move(*left));
      continue;
    }
    if (!left && left.error().code == ErrorCode::conflict) continue;  // its process lives
    auto moved = left ? move_some(std::move(*left)) : std::unexpected(std::move(left.error()));
    if (!moved) {
      adopted.unusable.push_back({.journal = path, .reason = std::move(moved.error().message)});
      continue;
    }
    adopted.records = std::move(*moved);
    adopted.whole = false;
    break;
  }
  return adopted;
}

}  // namespace cameleer::server
