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

using namespace cameleer;
using journal::Journal;
using journal::Options;

namespace {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "cameleer-journal-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::filesystem::path journal() const { return path_ / "journal"; }

 private:
  std::filesystem::path path_;
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

using Records = std::vector<std::string>;
using Ids = std::vector<std::uint64_t>;

TEST_CASE("A journal gives back what was committed, in order, until it is removed") {
  const Folder folder;
  auto journal = opened(folder);
  CHECK(journal.commit(Records{"one", std::string(100'000, 'x'), ""}, {}).value() == 1);
  CHECK(journal.commit(Records{std::string("\0binary\xff", 8)}, Ids{2}).value() == 4);
  CHECK(ids_of(journal) == Ids{1, 3, 4});
  CHECK(journal.records() == 3);
  CHECK(journal.read(1).value() == "one");
  CHECK_FALSE(journal.read(2).value());
  CHECK(journal.read(3).value() == "");
  CHECK(journal.read(4).value() == std::string("\0binary\xff", 8));
  REQUIRE(journal.commit({}, Ids{1, 3, 4, 77}));
  CHECK(journal.records() == 0);
  CHECK(journal.bytes() == 0);
}

TEST_CASE("A journal that is opened again holds what it held, and goes on counting") {
  const Folder folder;
  {
    auto journal = opened(folder);
    REQUIRE(journal.commit(Records{"first", "second"}, {}));
    REQUIRE(journal.commit({}, Ids{1}));
  }
  auto journal = opened(folder);
  CHECK(ids_of(journal) == Ids{2});
  CHECK(journal.records() == 1);
  CHECK(journal.bytes() == 4096);
  CHECK(journal.commit(Records{"third"}, {}).value() == 3);
}

TEST_CASE("A journal belongs to one owner at a time") {
  const Folder folder;
  auto journal = opened(folder);
  const auto second = Journal::open(folder.journal(), {});
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::bad_configuration);
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

TEST_CASE("A full journal refuses records, takes removals, and has room again after them") {
  const Folder folder;
  auto journal = opened(folder, {.capacity = 1u << 20});
  std::mt19937 dice(7);
  std::deque<std::uint64_t> waiting;
  std::size_t refused = 0;
  for (int round = 0; round < 400; ++round) {
    const Records records{std::string(1 + dice() % 120'000, static_cast<char>('a' + round % 26))};
    const auto before = journal.records();
    const auto id = journal.commit(records, {});
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
  REQUIRE(journal.commit(Records{"kept"}, {}));
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto* ignore = std::signal(SIGXFSZ, SIG_IGN) == SIG_ERR ? nullptr : "ignored";
  REQUIRE(ignore != nullptr);
  const rlimit small{.rlim_cur = 64 * 1024, .rlim_max = before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto refused = journal.commit(Records{std::string(500'000, 'x')}, {});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::unavailable);
  }
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK(ids_of(journal) == Ids{1});
  auto again = journal.commit(Records{std::string(500'000, 'y')}, {});
  if (!again) again = journal.commit(Records{std::string(500'000, 'y')}, {});  // the first one may find out
  REQUIRE(again);
  CHECK(journal.read(*again).value() == std::string(500'000, 'y'));
}

// The child tells each id that `commit` has returned; what it told must be there after its death.
[[noreturn]] void commit_for_ever(const Folder& folder, int out) {
  auto journal = Journal::open(folder.journal(), {.capacity = 64u << 20});
  if (!journal) _exit(1);
  for (std::uint64_t round = 1;; ++round) {
    const auto id = journal->commit(Records{std::string(3'000 * (round % 7) + 1, 'k'), "tail"},
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
    CHECK(journal.read(last).value());
    CHECK(journal.read(last + 1).value() == "tail");
  }
}

}  // namespace
