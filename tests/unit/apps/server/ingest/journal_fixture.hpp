#pragma once
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <set>

#include "../../../run_until.hpp"
#include "../../../temporary_folder.hpp"
#include "server/ingest/journaled_writer.hpp"

namespace cameleer::server::test {

namespace asio = boost::asio;
using namespace std::chrono_literals;

class Folder {
 public:
  [[nodiscard]] const std::filesystem::path& path() const { return folder_.path; }
  [[nodiscard]] std::filesystem::path journal(unsigned number = 0) const {
    return path() / "journal" / ("default-" + std::to_string(number));
  }
  [[nodiscard]] std::vector<std::filesystem::path> rejected() const {
    std::vector<std::filesystem::path> files;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(path() / "rejected", none))
      files.push_back(entry.path());
    return files;
  }

 private:
  cameleer::test::TemporaryFolder folder_;
};

// A store that keeps what it takes, and answers as told.
struct Store {
  asio::io_context io;
  Instant now = instant_of(5'000);
  std::multiset<std::string> bodies;
  std::function<int(const std::string& body)> code = [](const std::string&) { return 0; };  // -1: unreachable
  int attempts = 0, running = 0, most_running = 0;

  static async::Task<clickhouse::Outcome<void>> insert(Store* self, std::string body) {
    ++self->attempts;
    self->most_running = std::max(self->most_running, ++self->running);
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
    cameleer::test::run_until(io, condition);
  }
};

// One life of a process: a batch writer and a journaled one before it.
struct Life {
  Life(Store& store_, const Folder& folder, JournaledWriter::Options options = {}, std::size_t batch_rows = 1)
      : store(store_),
        batches(store.io.get_executor(), store.inserter(), {.batch_rows = batch_rows}),
        held(
            std::in_place, store.io.get_executor(), batches, [&store_] { return store_.now; }, within(folder, options)),
        writer(*held) {
    writer.on_unusable([this](const std::filesystem::path& journal, std::string_view) {
      unusable.push_back(journal.filename().string());
    });
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
    options.adopt_every = 5ms;
    return options;
  }
  static async::Task<> open(Life* self, bool* done) {
    self->opened = co_await self->writer.open();
    *done = true;
  }
  static async::Task<> write_one(Life* self, std::string body, std::uint64_t sender, std::string_view table) {
    EncodedRows rows{.sender = sender};
    rows.parts.push_back({.table = table, .columns = {}, .body = body, .rows = 1});
    const auto written = co_await self->writer.write(std::move(rows));
    self->results[body] = written ? "acknowledged" : std::string(name_of(written.error().code));
    self->answered.push_back(std::move(body));
  }
  /// Does not wait for the answer.
  void begin(const std::string& body, std::uint64_t sender = 0, std::string_view table = "executions") {
    asio::co_spawn(store.io, write_one(this, body, sender, table), asio::detached);
  }
  std::string write(const std::string& body, std::uint64_t sender = 0, std::string_view table = "executions") {
    begin(body, sender, table);
    store.run_until([&] { return results.contains(body); });
    return results[body];
  }
  void write_all(const std::vector<std::string>& bodies) {
    const auto wanted = answered.size() + bodies.size();
    for (const auto& body : bodies) begin(body);
    store.run_until([&] { return answered.size() >= wanted; });
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
  std::vector<std::string> answered;  // in their order
  std::vector<std::string> unusable;  // journals of others, as told
};

inline std::multiset<std::string> bodies(std::initializer_list<std::string> all) {
  return all;
}

}  // namespace cameleer::server::test
