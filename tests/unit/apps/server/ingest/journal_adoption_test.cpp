#include <sys/resource.h>

#include <cameleer/journal/journal.hpp>
#include <csignal>
#include <deque>
#include <fstream>

#include "journal_fixture.hpp"
#include "server/ingest/journal_record.hpp"

// What dead processes left, where it cannot simply be taken over.

using namespace cameleer;
using namespace cameleer::server;
using namespace cameleer::server::test;

namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The journal of a process that died, there from one moment to the next.
void leave(const Folder& folder, unsigned number, const std::vector<std::string>& all) {
  const auto elsewhere = folder.path() / "elsewhere";
  {
    auto journal = journal::Journal::open(elsewhere, {});
    REQUIRE(journal);
    std::vector<EncodedRows> rows;
    std::deque<JournalRecord> encoded;
    std::vector<journal::Record> added;
    for (const auto& body : all) {
      rows.push_back({});
      rows.back().parts.push_back({.table = "executions", .columns = {}, .body = body, .rows = 1});
    }
    for (const auto& one : rows) {
      encoded.emplace_back(one, instant_of(1'000));
      added.push_back({.pieces = encoded.back().pieces(), .note = RecordNote::of(one, instant_of(1'000)).bytes()});
    }
    REQUIRE(journal->commit(added, {}));
  }
  std::filesystem::create_directories(folder.path() / "journal");
  std::filesystem::rename(elsewhere, folder.journal(number));
}

// No file of ours grows beyond so many bytes while it lives.
class SmallDisk {
 public:
  explicit SmallDisk(std::uint64_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit small{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  }
  ~SmallDisk() { setrlimit(RLIMIT_FSIZE, &before_); }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

 private:
  rlimit before_{};
};

TEST_CASE("A journal that nobody can read is told once, left as it is, and holds up no other") {
  const Folder folder;
  const auto damaged = folder.journal(1) / "data.mdb";
  std::filesystem::create_directories(folder.journal(1));
  std::ofstream(damaged) << std::string(20'000, 'x');
  Store store;
  Life life(store, folder);
  for (const auto* body : {"one", "two", "three"}) {  // several looks
    leave(folder, 2, {body});
    store.run_until([&] { return store.bodies.contains(body); });
    store.run_until([&] { return !std::filesystem::exists(folder.journal(2)); });
  }
  store.run_until([&] { return life.writer.figures().unusable_journals == 1; });
  CHECK(life.writer.figures().unusable_since == store.now);
  CHECK(life.unusable == std::vector<std::string>{"default-1"});
  CHECK(text_of(damaged) == std::string(20'000, 'x'));

  std::filesystem::remove_all(folder.journal(1));
  store.run_until([&] { return life.writer.figures().unusable_journals == 0; });
  CHECK_FALSE(life.writer.figures().unusable_since);
}

TEST_CASE("What cannot be removed where it was left is taken over once, and removed when the disk lets it") {
  const Folder folder;
  std::multiset<std::string> all;
  for (int i = 0; i < 300; ++i) all.insert(std::to_string(i) + std::string(500, ';'));
  leave(folder, 1, {all.begin(), all.end()});
  // As large as it is: there is room for as many records of ours, and none for the pages that a removal takes.
  std::optional<SmallDisk> disk(std::filesystem::file_size(folder.journal(1) / "data.mdb"));
  Store store;
  Life life(store, folder);
  store.run_until([&] { return store.bodies.size() == all.size(); });
  CHECK(std::filesystem::exists(folder.journal(1)));
  disk.reset();
  store.run_until([&] { return !std::filesystem::exists(folder.journal(1)); });
  life.drained();
  CHECK(store.bodies == all);
  CHECK(life.writer.figures().adopted == all.size());
}

}  // namespace
