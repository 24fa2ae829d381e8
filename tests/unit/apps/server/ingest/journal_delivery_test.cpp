#include <sys/wait.h>
#include <unistd.h>

#include <cameleer/journal/journal.hpp>
#include <csignal>

#include "journal_fixture.hpp"
#include "server/ingest/journal_record.hpp"

// Who waits for whom, and who does not: refusals, tables, agents, dead processes.

using namespace cameleer;
using namespace cameleer::server;
using namespace cameleer::server::test;

namespace {

constexpr std::uint64_t kFlooder = 1, kOther = 2;

TEST_CASE("One poisoned request among many is found by halves") {
  const Folder folder;
  Store store;
  store.code = [](const std::string& body) { return body.find("poison") == std::string::npos ? 0 : 117; };
  Life life(store, folder, {}, 1'000);
  std::vector<std::string> all{"poison"};
  for (int i = 0; i < 63; ++i) all.push_back("row " + std::to_string(i) + ";");
  life.write_all(all);
  life.drained();
  CHECK(store.attempts <= 2 * 6 + 2);
  std::string stored;
  for (const auto& body : store.bodies) stored += body;
  for (std::size_t i = 1; i < all.size(); ++i) CHECK(stored.find(all[i]) != std::string::npos);
  CHECK(stored.find("poison") == std::string::npos);
  CHECK(folder.rejected().size() == 1);
}

TEST_CASE("A request that is refused for a reason nobody knows lets others pass, and is set aside in the end") {
  const Folder folder;
  Store store;
  store.code = [](const std::string& body) { return body.find("odd") == std::string::npos ? 0 : 469; };
  Life life(store, folder, {.most_refusals = 3}, 100);
  life.write("odd");
  store.run_until([&] { return store.attempts > 8; });
  CHECK(life.writer.figures().set_aside.empty());  // nothing says that the store would take anything
  for (int i = 0; life.writer.figures().set_aside.empty(); ++i) {
    REQUIRE(i < 1'000);
    const auto good = "good " + std::to_string(i);
    life.write(good);
    store.run_until([&] { return store.bodies.contains(good); });
  }
  life.drained();
  CHECK(life.writer.figures().set_aside.at("refused_by_store") == 1);
  CHECK(folder.rejected().size() == 1);
}

TEST_CASE("A store that is at its limits is asked again, however often it says so") {
  const Folder folder;
  Store store;
  int refusals = 0;
  store.code = [&](const std::string& body) { return body == "heavy" && ++refusals < 30 ? 241 : 0; };
  Life life(store, folder, {.most_refusals = 3});
  life.write("heavy");
  for (int i = 0; i < 10; ++i) life.write("light " + std::to_string(i));
  life.drained();
  CHECK(store.bodies.size() == 11);
  CHECK(life.writer.figures().set_aside.empty());
}

TEST_CASE("A table that takes nothing holds up no other") {
  const Folder folder;
  Store store;
  bool down = true;
  store.code = [&down](const std::string& body) { return down && body.starts_with("log") ? -1 : 0; };
  Life life(store, folder);
  for (int i = 0; i < 5; ++i) {
    life.write("log " + std::to_string(i), 0, "logs");
    life.write("execution " + std::to_string(i));
  }
  store.run_until([&] { return store.bodies.size() == 5; });
  CHECK(life.writer.figures().records == 5);
  CHECK(life.writer.figures().store_failing_since);
  down = false;
  life.drained();
  CHECK(store.bodies.size() == 10);
}

TEST_CASE("An agent that floods is waited for by one of its requests, not by all") {
  const Folder folder;
  Store store;
  Life life(store, folder, {.commit_bytes = 1});  // each request a commit of its own
  for (int i = 0; i < 50; ++i) life.begin("flood " + std::to_string(i), kFlooder);
  life.begin("other", kOther);
  store.run_until([&] { return life.answered.size() == 51; });
  const auto place = std::ranges::find(life.answered, "other") - life.answered.begin();
  CHECK(place <= 2);
}

TEST_CASE("An agent that floods a journal which nobody empties is refused while others still find room") {
  const Folder folder;
  Store store;
  store.code = [](const std::string&) { return -1; };
  Life life(store, folder, {.capacity = 400 * 1024});
  int taken = 0;
  while (life.write("flood " + std::to_string(taken) + std::string(3'000, 'f'), kFlooder) == "acknowledged") ++taken;
  CHECK(taken > 50);
  CHECK(taken <= 80);
  for (std::uint64_t agent = kOther; agent < kOther + 8; ++agent) {
    CHECK(life.write("other " + std::to_string(agent), agent) == "acknowledged");
  }
  CHECK(life.write("more of the flood", kFlooder) == "overloaded");
  CHECK(life.writer.figures().refused_full == 2);
}

void commit_one(journal::Journal& journal, const std::string& body) {
  EncodedRows rows;
  rows.parts.push_back({.table = "executions", .columns = {}, .body = body, .rows = 1});
  const JournalRecord record(rows, instant_of(1'000));
  const std::vector<journal::Record> added{
      {.pieces = record.pieces(), .note = RecordNote::of(rows, instant_of(1'000)).bytes()}};
  REQUIRE(journal.commit(added, {}));
}

// A process that has a journal with one record, and lives until it is killed.
pid_t begin_neighbour(const std::filesystem::path& directory, const std::string& body) {
  int ready[2];
  REQUIRE(pipe(ready) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto journal = journal::Journal::open(directory, {});
    if (!journal) _exit(1);
    commit_one(*journal, body);
    if (write(ready[1], "x", 1) != 1) _exit(1);
    for (;;) pause();
  }
  char byte = 0;
  REQUIRE(read(ready[0], &byte, 1) == 1);
  close(ready[0]);
  close(ready[1]);
  return child;
}

TEST_CASE("What a process left is taken over when it is dead, and not before") {
  const Folder folder;
  const auto neighbour = begin_neighbour(folder.journal(7), "of the living");
  {
    auto dead = journal::Journal::open(folder.journal(3), {});
    REQUIRE(dead);
    commit_one(*dead, "of the dead");
    auto foreign = journal::Journal::open(folder.path() / "journal/default-other-0", {});
    REQUIRE(foreign);
    commit_one(*foreign, "of another tenant");
  }
  Store store;
  Life life(store, folder);
  store.run_until([&] { return store.bodies.contains("of the dead"); });
  store.run_until([&] { return !std::filesystem::exists(folder.journal(3)); });
  CHECK(store.bodies == bodies({"of the dead"}));
  CHECK(life.writer.figures().adopted == 1);

  REQUIRE(kill(neighbour, SIGKILL) == 0);
  REQUIRE(waitpid(neighbour, nullptr, 0) == neighbour);
  store.run_until([&] { return store.bodies.contains("of the living"); });
  store.run_until([&] { return !std::filesystem::exists(folder.journal(7)); });
  life.drained();
  CHECK(store.bodies == bodies({"of the dead", "of the living"}));
  CHECK(life.writer.figures().adopted == 2);
  CHECK(life.writer.figures().lag_seconds.sum() == 8);  // both came at 1 s, and now it is 5 s
  CHECK(std::filesystem::exists(folder.path() / "journal/default-other-0"));
}

TEST_CASE("Two processes that share a directory have a journal each") {
  const Folder folder;
  Store left_store, right_store;
  Life left(left_store, folder);
  Life right(right_store, folder);
  left.write("left");
  right.write("right");
  left.drained();
  right.drained();
  CHECK(left_store.bodies == bodies({"left"}));
  CHECK(right_store.bodies == bodies({"right"}));
}

TEST_CASE("What is in the journal of an older version is taken over") {
  const Folder folder;
  {
    auto older = journal::Journal::open(folder.path() / "journal", {});
    REQUIRE(older);
    commit_one(*older, "older");
  }
  Store store;
  Life life(store, folder);
  store.run_until([&] { return store.bodies.contains("older"); });
  store.run_until([&] { return !std::filesystem::exists(folder.path() / "journal/data.mdb"); });
  CHECK(life.writer.figures().adopted == 1);
}

}  // namespace
