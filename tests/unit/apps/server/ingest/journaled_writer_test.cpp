#include <cameleer/journal/journal.hpp>
#include <fstream>

#include "journal_fixture.hpp"

using namespace cameleer;
using namespace cameleer::server;
using namespace cameleer::server::test;

namespace {

TEST_CASE("Rows are acknowledged when the journal has them, whatever the store does") {
  const Folder folder;
  Store store;
  store.code = [](const std::string&) { return -1; };
  Life life(store, folder);
  REQUIRE(life.opened);
  life.write_all({"a", "b", "c"});
  CHECK(life.results ==
        std::map<std::string, std::string>{{"a", "acknowledged"}, {"b", "acknowledged"}, {"c", "acknowledged"}});
  CHECK(store.bodies.empty());
  CHECK(life.writer.figures().records == 3);
  CHECK(life.writer.figures().requests == 3);
}

TEST_CASE("What was acknowledged before a death reaches the store in the next life, and is then forgotten") {
  const Folder folder;
  {
    Store store;
    store.code = [](const std::string&) { return -1; };
    Life life(store, folder);
    life.write_all({"a", "b"});
  }  // dies with its rows undelivered
  Store store;
  {
    Life life(store, folder);
    life.drained();
    life.write("c");
    life.drained();
    CHECK(store.bodies == bodies({"a", "b", "c"}));
    life.stop();
  }
  Life third(store, folder);
  CHECK(third.writer.figures().records == 0);
  CHECK(store.bodies == bodies({"a", "b", "c"}));
}

TEST_CASE("A store that comes back gets everything, and is asked by one record at a time until it does") {
  const Folder folder;
  Store store;
  bool down = true;
  store.code = [&down](const std::string&) { return down ? -1 : 0; };
  Life life(store, folder);
  for (int i = 0; i < 30; ++i) life.write("row " + std::to_string(i));
  store.run_until([&] { return store.running == 0; });
  store.most_running = 0;
  const auto before = store.attempts;
  store.run_until([&] { return store.attempts >= before + 3; });
  CHECK(store.most_running == 1);
  down = false;
  life.drained();
  CHECK(store.bodies.size() == 30);
  CHECK(life.writer.figures().delivered == 30);
}

TEST_CASE("What the store refuses for good is set aside, and nothing waits behind it") {
  const Folder folder;
  Store store;
  store.code = [](const std::string& body) { return body.find("poison") == std::string::npos ? 0 : 117; };
  Life life(store, folder, {}, 100);
  life.write_all({"a", "poison", "b"});
  CHECK(life.results["poison"] == "acknowledged");
  life.drained();
  CHECK(store.bodies.count("a") == 1);
  CHECK(store.bodies.count("b") == 1);
  REQUIRE(folder.rejected().size() == 1);
  std::ifstream file(folder.rejected().front(), std::ios::binary);
  const std::string kept((std::istreambuf_iterator<char>(file)), {});
  CHECK(kept.find("poison") != std::string::npos);
  CHECK(life.writer.figures().set_aside.at("refused_by_store") == 1);
}

TEST_CASE("A damaged record is set aside and the others are delivered") {
  const Folder folder;
  {
    Store store;
    store.code = [](const std::string&) { return -1; };
    Life life(store, folder);
    life.write("good");
  }
  {
    auto journal = journal::Journal::open(folder.journal(), {});
    REQUIRE(journal);
    REQUIRE(journal->commit(std::vector<journal::Record>{{.pieces = {"no record at all"}}}, {}));
  }
  Store store;
  Life life(store, folder);
  life.drained();
  CHECK(store.bodies == bodies({"good"}));
  CHECK(life.writer.figures().set_aside.at("damaged") == 1);
  CHECK(folder.rejected().size() == 1);
}

TEST_CASE("A full journal refuses, and takes rows again when the store has made room") {
  const Folder folder;
  Store store;
  bool down = true;
  store.code = [&down](const std::string&) { return down ? -1 : 0; };
  Life life(store, folder, {.capacity = 64 * 1024});
  int acknowledged = 0;
  for (int i = 0; i < 40; ++i) {
    const auto answer = life.write(std::to_string(i) + std::string(6'000, 'x'));
    if (answer == "acknowledged")
      ++acknowledged;
    else
      CHECK(answer == "overloaded");
  }
  CHECK(acknowledged > 3);
  CHECK(acknowledged < 40);
  CHECK(life.writer.figures().refused_full == static_cast<std::uint64_t>(40 - acknowledged));
  down = false;
  life.drained();
  CHECK(store.bodies.size() == static_cast<std::size_t>(acknowledged));
  // Room is back when the removals are on disk.
  store.run_until([&] { return life.writer.figures().bytes == 0; });
  CHECK(life.write("again") == "acknowledged");
}

TEST_CASE("A request that would not even fit into an empty journal is to be split, not repeated for ever") {
  for (const auto& options :
       {JournaledWriter::Options{.capacity = 64 * 1024}, JournaledWriter::Options{.waiting_bytes = 64 * 1024}}) {
    const Folder folder;
    Store store;
    Life life(store, folder, options);
    CHECK(life.write(std::string(70'000, 'x')) == "body_too_large");
    CHECK(life.write("small") == "acknowledged");
    CHECK(life.writer.figures().refused_full + life.writer.figures().refused_waiting == 0);
  }
}

TEST_CASE("A request does not wait for the company that removals wait for, nor does a stop") {
  const Folder folder;
  Store store;
  Life life(store, folder, {.removals_wait = 10min});
  for (int i = 0; i < 5; ++i) {
    CHECK(life.write(std::to_string(i)) == "acknowledged");
    life.drained();
  }
  life.stop();
  CHECK(life.writer.figures().bytes == 0);
}

TEST_CASE("A stop lets the store take what waits, and refuses what comes") {
  const Folder folder;
  Store store;
  Life life(store, folder);
  life.write_all({"a", "b"});
  life.stop();
  CHECK(store.bodies == bodies({"a", "b"}));
  CHECK(life.write("late") == "unavailable");
}

TEST_CASE("A journal that cannot be used keeps the writer from opening") {
  const Folder folder;
  std::ofstream(folder.path() / "journal") << "a file";
  Store store;
  Life life(store, folder);
  REQUIRE_FALSE(life.opened);
  CHECK(life.opened.error().code == ErrorCode::bad_configuration);
  CHECK(life.write("early") == "unavailable");
}

TEST_CASE("What cannot be set aside stays in the journal until it can") {
  const Folder folder;
  std::ofstream(folder.path() / "rejected") << "a file where the directory should be";
  Store store;
  store.code = [](const std::string& body) { return body == "poison" ? 117 : 0; };
  Life life(store, folder);
  life.write("poison");
  life.write("good");
  store.run_until([&] { return life.writer.figures().set_aside.contains("not_written"); });
  store.run_until([&] { return store.bodies.contains("good"); });
  CHECK(life.writer.figures().records == 1);
  CHECK(life.writer.figures().unwritten == 1);
  std::filesystem::remove(folder.path() / "rejected");
  life.drained();
  CHECK(life.writer.figures().unwritten == 0);
  CHECK(folder.rejected().size() == 1);
  CHECK(life.writer.figures().set_aside_files == 1);
}

TEST_CASE("How long a record has waited is counted from its arrival, also after a restart") {
  const Folder folder;
  {
    Store store;
    store.code = [](const std::string&) { return -1; };
    Life life(store, folder);
    life.write("early");
  }
  Store store;
  store.now = instant_of(65'000);
  bool down = true;
  store.code = [&down](const std::string&) { return down ? -1 : 0; };
  Life life(store, folder);
  CHECK(life.writer.lag() == 60s);
  life.write("late");
  CHECK(life.writer.lag() == 60s);
  store.run_until([&] { return life.writer.figures().store_failing_since.has_value(); });
  down = false;
  life.drained();
  CHECK(life.writer.figures().lag_seconds.sum() == 60);
  CHECK_FALSE(life.writer.figures().store_failing_since);
}

TEST_CASE("Inserts that are not full are few, those that are full go at once, and a stop waits for none") {
  const Folder folder;
  Store store;
  Life life(store, folder, {.insert_interval = 24h, .inserts_at_once = 2}, 5);
  for (const auto* body : {"a", "b"}) {
    life.write(body);
    store.run_until([&] { return store.bodies.contains(body); });
  }
  life.write("c");
  life.write_all({"d", "e", "f"});
  CHECK(store.attempts == 2);
  CHECK(life.writer.figures().records == 4);
  life.write("g");
  life.drained();
  CHECK(store.attempts == 3);
  CHECK(store.bodies == bodies({"a", "b", "cdefg"}));
  life.write_all({"h", "i"});
  CHECK(store.attempts == 3);
  life.stop();
  CHECK(store.bodies == bodies({"a", "b", "cdefg", "hi"}));
}

}  // namespace
