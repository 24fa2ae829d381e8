#include "server/ingest/journaled_writer.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cameleer/journal/journal.hpp>
#include <catch2/catch.hpp>
#include <fstream>
#include <set>

using namespace cameleer;
using namespace cameleer::server;
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "cameleer-ingest-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::vector<std::filesystem::path> rejected() const {
    std::vector<std::filesystem::path> files;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(path_ / "rejected", none))
      files.push_back(entry.path());
    return files;
  }

 private:
  std::filesystem::path path_;
};

// A store that keeps what it takes, and answers as told.
struct Store {
  asio::io_context io;
  std::multiset<std::string> bodies;
  std::function<int(const std::string& body)> code = [](const std::string&) { return 0; };  // -1: unreachable
  bool hang = false;
  int attempts = 0, running = 0, most_running = 0;

  static async::Task<clickhouse::Outcome<void>> insert(Store* self, std::string body) {
    ++self->attempts;
    self->most_running = std::max(self->most_running, ++self->running);
    if (self->hang) co_await async::sleep_for(self->io.get_executor(), 1h);
    for (int turn = 0; turn < 3; ++turn) co_await asio::post(self->io.get_executor(), async::use_task);
    --self->running;
    if (const auto code = self->code(body); code != 0) {
      clickhouse::EngineError error;
      error.error = Error{ErrorCode::upstream_error, "refused"};
      error.code = std::max(code, 0);
      co_return std::unexpected(std::move(error));
    }
    self->bodies.insert(std::move(body));
    co_return clickhouse::Outcome<void>{};
  }
  Inserter inserter() {
    return [this](std::string, std::span<const clickhouse::Block::Column>, std::string body) {
      return insert(this, std::move(body));
    };
  }
  template <class Condition>
  void run_until(const Condition& condition) {
    const auto until = std::chrono::steady_clock::now() + 20s;
    while (!condition()) {
      REQUIRE(std::chrono::steady_clock::now() < until);
      io.restart();
      io.run_for(5ms);
    }
  }
};

// One life of a process: a batch writer and a journaled one before it.
struct Life {
  Life(Store& store_, const Folder& folder, JournaledWriter::Options options = {}, std::size_t batch_rows = 1)
      : store(store_),
        batches(store.io.get_executor(), store.inserter(), {.batch_rows = batch_rows}),
        held(
            std::in_place, store.io.get_executor(), batches, [] { return instant_of(5'000); }, within(folder, options)),
        writer(*held) {
    bool done = false;
    asio::co_spawn(store.io, open(this, &done), asio::detached);
    store.run_until([&] { return done; });
  }
  /// It dies: nothing more reaches the store, and what its threads still do ends before the loop does.
  ~Life() {
    held.reset();
    store.io.restart();
    store.io.run_for(5s);
  }
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;
  static JournaledWriter::Options within(const Folder& folder, JournaledWriter::Options options) {
    options.directory = folder.path() / "journal";
    options.rejected = folder.path() / "rejected";
    options.first_retry = 5ms;
    options.last_retry = 20ms;
    return options;
  }
  static async::Task<> open(Life* self, bool* done) {
    self->opened = co_await self->writer.open();
    *done = true;
  }
  static async::Task<> write_one(Life* self, std::string body) {
    EncodedRows rows;
    rows.parts.push_back({.table = "executions", .columns = {}, .body = body, .rows = 1});
    const auto written = co_await self->writer.write(std::move(rows));
    self->results[body] = written ? "acknowledged" : std::string(name_of(written.error().code));
  }
  void write(std::initializer_list<std::string> bodies) {
    for (const auto& body : bodies) asio::co_spawn(store.io, write_one(this, body), asio::detached);
    const auto wanted = results.size() + bodies.size();
    store.run_until([&] { return results.size() >= wanted; });
  }
  static async::Task<> stop_both(Life* self, bool* done) {
    co_await self->writer.stop();
    co_await self->batches.stop();
    *done = true;
  }
  void stop() {
    bool done = false;
    asio::co_spawn(store.io, stop_both(this, &done), asio::detached);
    store.run_until([&] { return done; });
  }
  void drained() {
    store.run_until([&] { return writer.figures().records == 0 && writer.lag() == 0ms; });
  }

  Store& store;
  BatchWriter batches;
  std::optional<JournaledWriter> held;
  JournaledWriter& writer;
  Expected<void> opened;
  std::map<std::string, std::string> results;
};

std::multiset<std::string> bodies(std::initializer_list<std::string> all) {
  return all;
}

TEST_CASE("Rows are acknowledged when the journal has them, whatever the store does") {
  const Folder folder;
  Store store;
  store.code = [](const std::string&) { return -1; };
  Life life(store, folder);
  REQUIRE(life.opened);
  life.write({"a", "b", "c"});
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
    life.write({"a", "b"});
  }  // dies with its rows undelivered
  Store store;
  {
    Life life(store, folder);
    life.drained();
    life.write({"c"});
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
  for (int i = 0; i < 30; ++i) life.write({"row " + std::to_string(i)});
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
  life.write({"a", "poison", "b"});
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
    life.write({"good"});
  }
  {
    auto journal = journal::Journal::open(folder.path() / "journal", {});
    REQUIRE(journal);
    REQUIRE(journal->commit(std::vector<std::string>{"no record at all"}, {}));
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
    const auto body = std::to_string(i) + std::string(6'000, 'x');
    life.write({body});
    if (life.results[body] == "acknowledged") {
      ++acknowledged;
    } else {
      CHECK(life.results[body] == "overloaded");
    }
  }
  CHECK(acknowledged > 3);
  CHECK(acknowledged < 40);
  CHECK(life.writer.figures().refused_full == static_cast<std::uint64_t>(40 - acknowledged));
  down = false;
  life.drained();
  CHECK(store.bodies.size() == static_cast<std::size_t>(acknowledged));
  life.write({"again"});
  CHECK(life.results["again"] == "acknowledged");
}

TEST_CASE("More than memory may hold waits on disk alone and is delivered from there") {
  const Folder folder;
  Store store;
  Life life(store, folder, {.memory_bytes = 10'000});
  for (int round = 0; round < 5; ++round) {
    const auto mark = std::to_string(round);
    const std::string body(4'000, 'm');
    life.write({"1" + mark + body, "2" + mark + body, "3" + mark + body, "4" + mark + body, "5" + mark + body});
  }
  life.drained();
  CHECK(store.bodies.size() == 25);
}

TEST_CASE("A stop lets the store take what waits, and refuses what comes") {
  const Folder folder;
  Store store;
  Life life(store, folder);
  life.write({"a", "b"});
  life.stop();
  CHECK(store.bodies == bodies({"a", "b"}));
  life.write({"late"});
  CHECK(life.results["late"] == "unavailable");
  auto journal = journal::Journal::open(folder.path() / "elsewhere", {});
  CHECK(journal);
}

TEST_CASE("A journal that another process uses keeps the writer from opening") {
  const Folder folder;
  auto other = journal::Journal::open(folder.path() / "journal", {});
  REQUIRE(other);
  Store store;
  Life life(store, folder);
  REQUIRE_FALSE(life.opened);
  CHECK(life.opened.error().code == ErrorCode::bad_configuration);
  life.write({"early"});
  CHECK(life.results["early"] == "unavailable");
}

}  // namespace
