#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cameleer/journal/journal.hpp>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <random>

#include "../../temporary_folder.hpp"

using namespace cameleer;
using journal::Journal;
using journal::Options;
using journal::Record;

namespace {

struct Folder : test::TemporaryFolder {
  [[nodiscard]] std::filesystem::path journal() const { return path / "journal"; }
};

Journal opened(const Folder& folder, Options options = {.capacity = 4u << 20}) {
  auto made = Journal::open(folder.journal(), options);
  REQUIRE(made);
  return std::move(*made);
}

std::vector<std::uint64_t> ids_of(Journal& journal) {
  std::vector<std::uint64_t> ids;
  for (const auto& record : journal.waiting().value()) ids.push_back(record.id);
  return ids;
}

using Ids = std::vector<std::uint64_t>;

// Records of one piece each, while the texts live.
std::vector<Record> records_of(const std::vector<std::string>& texts) {
  std::vector<Record> records;
  for (const auto& text : texts) records.push_back({.pieces = {text}});
  return records;
}

Expected<std::uint64_t> commit(Journal& journal, const std::vector<std::string>& added, const Ids& removed = {}) {
  return journal.commit(records_of(added), removed);
}

std::optional<std::string> read_of(Journal& journal, std::uint64_t id) {
  std::string bytes;
  if (!journal.read(id, [&bytes](std::string_view shown) { bytes = shown; }).value()) return std::nullopt;
  return bytes;
}

TEST_CASE("A journal gives back what was committed, in order, until it is removed") {
  const Folder folder;
  auto journal = opened(folder);
  CHECK(commit(journal, {"one", std::string(100'000, 'x'), ""}).value() == 1);
  CHECK(commit(journal, {std::string("\0binary\xff", 8)}, Ids{2}).value() == 4);
  CHECK(ids_of(journal) == Ids{1, 3, 4});
  CHECK(journal.records() == 3);
  CHECK(read_of(journal, 1) == "one");
  CHECK_FALSE(read_of(journal, 2));
  CHECK(read_of(journal, 3) == "");
  CHECK(read_of(journal, 4) == std::string("\0binary\xff", 8));
  REQUIRE(journal.commit({}, Ids{1, 3, 4, 77}));
  CHECK(journal.records() == 0);
  CHECK(journal.bytes() == 0);
}

TEST_CASE("A journal that is opened again holds what it held, and goes on counting") {
  const Folder folder;
  {
    auto journal = opened(folder);
    REQUIRE(commit(journal, {"first", "second"}));
    REQUIRE(journal.commit({}, Ids{1}));
  }
  auto journal = opened(folder);
  CHECK(ids_of(journal) == Ids{2});
  CHECK(journal.records() == 1);
  CHECK(journal.bytes() == 4096);
  CHECK(commit(journal, {"third"}).value() == 3);
}

TEST_CASE("A record is given in pieces and read as one, and its note is told without reading it") {
  const Folder folder;
  const std::string large(20'000, 'l');
  {
    auto journal = opened(folder);
    const std::vector<Record> records{{.pieces = {"head ", large, "", " tail"}, .note = "from here"},
                                      {.pieces = {}, .note = std::string(journal::most_note, 'n')},
                                      {.pieces = {"no note"}}};
    REQUIRE(journal.commit(records, {}));
    CHECK(read_of(journal, 1) == "head " + large + " tail");
  }
  auto journal = opened(folder);
  const auto waiting = journal.waiting().value();
  REQUIRE(waiting.size() == 3);
  CHECK(waiting[0].note == "from here");
  CHECK(waiting[0].bytes == large.size() + 10);
  CHECK(waiting[1].note == std::string(journal::most_note, 'n'));
  CHECK(waiting[2].note.empty());
  CHECK(read_of(journal, 1) == "head " + large + " tail");
  REQUIRE(journal.commit({}, Ids{1, 2}));
  CHECK(ids_of(journal) == Ids{3});
}

TEST_CASE("An empty journal can be removed with its directory, one that holds records cannot") {
  const Folder folder;
  {
    auto journal = opened(folder);
    REQUIRE(commit(journal, {"kept"}));
    Journal::remove(std::move(journal));
  }
  auto journal = opened(folder);
  CHECK(ids_of(journal) == Ids{1});
  REQUIRE(journal.commit({}, Ids{1}));
  Journal::remove(std::move(journal));
  CHECK_FALSE(std::filesystem::exists(folder.journal()));
  auto anew = opened(folder);
  CHECK(ids_of(anew).empty());
}

TEST_CASE("A journal belongs to one owner at a time") {
  const Folder folder;
  auto journal = opened(folder);
  const auto second = Journal::open(folder.journal(), {});
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::conflict);
  CHECK(second.error().message.find("another process uses it") != std::string::npos);
}

TEST_CASE("A directory that cannot be a journal is refused with its reason") {
  const Folder folder;
  std::filesystem::create_directory(folder.journal());
  {
    std::ofstream(folder.journal() / "data.mdb") << std::string(20'000, 'x');
  }
  const auto made = Journal::open(folder.journal(), {});
  REQUIRE_FALSE(made);
  CHECK(made.error().code == ErrorCode::bad_configuration);
}

TEST_CASE("A journal whose file was cut off is refused, and left as long as it is") {
  const Folder folder;
  {
    auto journal = opened(folder);
    for (int round = 0; round < 20; ++round) {
      REQUIRE(commit(journal, {std::string(9'000, 'a'), "small"}, Ids{2 * static_cast<std::uint64_t>(round) - 3}));
    }
    REQUIRE(commit(journal, {std::string(100'000, 'z')}));  // up to the end
  }
  const auto file = folder.journal() / "data.mdb";
  const auto whole = std::filesystem::file_size(file);
  for (auto size = whole - 50'000; size > 3 * 4096; size -= std::min<std::uintmax_t>(size, 5'000)) {
    CAPTURE(size);
    std::filesystem::resize_file(file, size);
    const auto made = Journal::open(folder.journal(), {.capacity = 4u << 20});
    REQUIRE_FALSE(made);
    CHECK(made.error().code == ErrorCode::bad_configuration);
    CHECK(std::filesystem::file_size(file) == size);
  }
}

TEST_CASE("A full journal refuses records, takes removals, and has room again after them") {
  const Folder folder;
  auto journal = opened(folder, {.capacity = 1u << 20});
  std::mt19937 dice(7);
  std::deque<std::uint64_t> waiting;
  std::size_t refused = 0;
  for (int round = 0; round < 400; ++round) {
    const std::string record(1 + dice() % 120'000, static_cast<char>('a' + round % 26));
    const auto before = journal.records();
    const auto id = commit(journal, {record});
    if (id) {
      waiting.push_back(*id);
      CHECK(journal.bytes() <= journal.capacity());
      continue;
    }
    ++refused;
    CHECK(id.error().code == ErrorCode::overloaded);
    CHECK(journal.records() == before);
    REQUIRE(journal.commit({}, Ids{waiting.front()}));
    waiting.pop_front();
  }
  CHECK(refused > 100);
  CHECK(ids_of(journal) == Ids(waiting.begin(), waiting.end()));
}

TEST_CASE("A disk that refuses changes nothing, and the journal goes on when it takes bytes again") {
  const Folder folder;
  auto journal = opened(folder);
  REQUIRE(commit(journal, {"kept"}));
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto* ignore = std::signal(SIGXFSZ, SIG_IGN) == SIG_ERR ? nullptr : "ignored";
  REQUIRE(ignore != nullptr);
  const rlimit small{.rlim_cur = 64 * 1024, .rlim_max = before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto refused = commit(journal, {std::string(500'000, 'x')});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::unavailable);
  }
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK(ids_of(journal) == Ids{1});
  auto again = commit(journal, {std::string(500'000, 'y')});
  if (!again) again = commit(journal, {std::string(500'000, 'y')});  // the first one may find out
  REQUIRE(again);
  CHECK(read_of(journal, *again) == std::string(500'000, 'y'));
}

// A disk of its own, of `bytes`: as root, or in a name space where one is root. The mount ends with the process.
bool mount_small_disk(const std::filesystem::path& at, const char* size) {
  if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  return mount("tmpfs", at.c_str(), "tmpfs", 0, size) == 0;
}

// 0: as it should be; otherwise the step that was not.
int fill_small_disk(const std::filesystem::path& disk) {
  auto made = Journal::open(disk / "journal", {.capacity = 64u << 20});
  if (!made) return 2;
  auto& journal = *made;
  std::deque<std::uint64_t> kept;
  for (int round = 0; round < 6; ++round) {
    int added = 0;
    for (;; ++added) {
      const auto id = commit(journal, {std::string(50'000, static_cast<char>('a' + round))});
      if (!id && id.error().code != ErrorCode::unavailable) return 3;
      if (!id) break;
      kept.push_back(*id);
      if (added > 200) return 4;  // it never filled
    }
    if (ids_of(journal) != Ids(kept.begin(), kept.end())) return 5;
    // Nobody makes room but the journal itself: it must forget on the full disk.
    for (int removed = 0; removed < 10; ++removed) {
      if (!journal.commit({}, Ids{kept.front()})) return 6;
      kept.pop_front();
    }
    for (int again = 0; again < 3; ++again) {
      const auto id = commit(journal, {std::string(50'000, 'z')});
      if (!id) return 7;
      kept.push_back(*id);
    }
  }
  for (const auto id : kept) {
    if (!read_of(journal, id)) return 8;
  }
  return 0;
}

TEST_CASE("A journal on a disk that is full loses nothing, forgets, and takes records again in the room it made") {
  const Folder folder;
  std::filesystem::create_directory(folder.journal());
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // Where nobody may mount, the limit on the size of files stands in for the size of the disk.
    if (!mount_small_disk(folder.journal(), "size=3m")) {
      std::signal(SIGXFSZ, SIG_IGN);
      const rlimit small{.rlim_cur = 3u << 20, .rlim_max = RLIM_INFINITY};
      if (setrlimit(RLIMIT_FSIZE, &small) != 0) _exit(1);
    }
    _exit(fill_small_disk(folder.journal()));
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

// The child tells each id that `commit` has returned; what it told must be there after its death.
[[noreturn]] void commit_for_ever(const Folder& folder, int out) {
  auto journal = Journal::open(folder.journal(), {.capacity = 64u << 20});
  if (!journal) _exit(1);
  for (std::uint64_t round = 1;; ++round) {
    const auto id = commit(*journal, {std::string(3'000 * (round % 7) + 1, 'k'), "tail"},
                           round > 20 ? Ids{2 * round - 41, 2 * round - 40} : Ids{});
    if (!id || write(out, &*id, sizeof(*id)) != sizeof(*id)) _exit(1);
  }
}

TEST_CASE("What was committed before a kill is there after it") {
  for (int round = 0; round < 5; ++round) {
    const Folder folder;
    int pipe_ends[2];
    REQUIRE(pipe(pipe_ends) == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) commit_for_ever(folder, pipe_ends[1]);
    close(pipe_ends[1]);
    std::uint64_t id = 0, last = 0;
    const int wanted = 30 + 17 * round;
    for (int seen = 0; seen < wanted && read(pipe_ends[0], &id, sizeof(id)) == sizeof(id); ++seen) last = id;
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    while (read(pipe_ends[0], &id, sizeof(id)) == sizeof(id)) last = id;
    close(pipe_ends[0]);

    auto journal = opened(folder, {.capacity = 64u << 20});
    REQUIRE(last > 0);
    const auto ids = ids_of(journal);
    REQUIRE_FALSE(ids.empty());
    CHECK(ids.back() >= last + 1);  // each commit adds two
    for (std::size_t i = 1; i < ids.size(); ++i) CHECK(ids[i] == ids[i - 1] + 1);
    CHECK(read_of(journal, last));
    CHECK(read_of(journal, last + 1) == "tail");
  }
}

}  // namespace
