#include "server/ingest/batch_writer.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

using namespace cameleer;
using namespace cameleer::server;
namespace asio = boost::asio;

namespace {

// An engine that notes what it gets and answers as told.
struct FakeEngine {
  asio::io_context io;
  std::vector<std::string> executions, processors;
  std::function<int(const std::string& body)> code = [](const std::string&) { return 0; };  // -1: unreachable
  bool hang = false;

  Inserter inserter() {
    return [this](std::string table, std::span<const clickhouse::Block::Column>, std::string body) {
      return insert(this, std::move(table), std::move(body));
    };
  }

  static async::Task<clickhouse::Outcome<void>> insert(FakeEngine* self, std::string table, std::string body) {
    if (self->hang) co_await async::sleep_for(self->io.get_executor(), std::chrono::hours(1));
    co_await asio::post(self->io.get_executor(), async::use_task);
    if (const auto code = self->code(body); code != 0) {
      clickhouse::EngineError error;
      error.error = Error{ErrorCode::upstream_error, "refused"};
      error.code = std::max(code, 0);
      co_return std::unexpected(std::move(error));
    }
    (table == "executions" ? self->executions : self->processors).push_back(std::move(body));
    co_return clickhouse::Outcome<void>{};
  }
};

async::Task<> write(BatchWriter& writer, std::string body, std::vector<std::string>& results) {
  EncodedRows rows;
  rows.executions = body;
  rows.processors = "p" + body;
  rows.rows = 2;
  auto written = co_await writer.write(std::move(rows));
  results.push_back(body + (written ? " stored" : " " + std::string(name_of(written.error().code))));
}

async::Task<> stop(BatchWriter& writer) {
  co_await writer.stop();
}

struct Fixture {
  FakeEngine engine;
  std::vector<std::string> results;

  void run(BatchWriter::Options options, std::initializer_list<const char*> bodies) {
    BatchWriter writer(engine.io.get_executor(), engine.inserter(), options);
    for (const auto* body : bodies) asio::co_spawn(engine.io, write(writer, body, results), asio::detached);
    if (engine.hang) {
      while (results.size() < bodies.size()) engine.io.run_one();
    } else {
      engine.io.run();
    }
    counters = writer.counters();
    std::sort(results.begin(), results.end());
  }
  BatchWriter::Counters counters;
};

}  // namespace

TEST_CASE("requests that arrive together share one insert per table, steps first") {
  Fixture f;
  f.run({}, {"a", "b", "c"});
  CHECK(f.results == std::vector<std::string>{"a stored", "b stored", "c stored"});
  CHECK(f.engine.executions == std::vector<std::string>{"abc"});
  CHECK(f.engine.processors == std::vector<std::string>{"papbpc"});
  CHECK(f.counters.batches == 1);
  CHECK(f.counters.rows == 6);
}

TEST_CASE("a batch ends at its bounds") {
  Fixture f;
  f.run({.batch_rows = 4}, {"a", "b", "c"});
  CHECK(f.engine.executions == std::vector<std::string>{"ab", "c"});
}

TEST_CASE("a request that the engine refuses for its content fails alone") {
  Fixture f;
  f.engine.code = [](const std::string& body) { return body.find('x') == std::string::npos ? 0 : 117; };
  f.run({}, {"a", "x", "b"});
  CHECK(f.results == std::vector<std::string>{"a stored", "b stored", "x malformed_body"});
  CHECK(f.counters.split_batches == 1);
  CHECK(f.counters.refused == 1);
}

TEST_CASE("an engine that is away or out of memory makes every caller try again") {
  for (const int code : {-1, 241}) {
    Fixture f;
    f.engine.code = [code](const std::string&) { return code; };
    f.run({}, {"a", "b"});
    CHECK(f.results == std::vector<std::string>{"a unavailable", "b unavailable"});
    CHECK(f.counters.split_batches == 0);
  }
}

TEST_CASE("a slow engine does not hold a caller beyond the bound") {
  Fixture f;
  f.engine.hang = true;
  f.run({.linger = std::chrono::milliseconds(0), .answer_within = std::chrono::milliseconds(10)}, {"a"});
  CHECK(f.results == std::vector<std::string>{"a unavailable"});
}

TEST_CASE("rows beyond what may wait are refused at once") {
  Fixture f;
  f.run({.waiting_bytes = 7}, {"a", "b", "c"});
  CHECK(f.results == std::vector<std::string>{"a stored", "b stored", "c overloaded"});
}

TEST_CASE("stopping writes what waits and takes no more") {
  FakeEngine engine;
  std::vector<std::string> results;
  BatchWriter writer(engine.io.get_executor(), engine.inserter(), {.linger = std::chrono::hours(1)});
  asio::co_spawn(engine.io, write(writer, "a", results), asio::detached);
  asio::co_spawn(engine.io, stop(writer), asio::detached);
  asio::co_spawn(engine.io, write(writer, "b", results), asio::detached);
  engine.io.run();
  std::sort(results.begin(), results.end());
  CHECK(results == std::vector<std::string>{"a stored", "b unavailable"});
}
