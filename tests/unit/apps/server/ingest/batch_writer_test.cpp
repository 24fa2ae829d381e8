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
  std::vector<std::string> log;  // "table+" when an insert begins, "table-" when it ends
  std::map<std::string, std::vector<std::string>> bodies;
  std::function<int(const std::string& body)> code = [](const std::string&) { return 0; };  // -1: unreachable
  std::function<void(const std::string& body)> begun = [](const std::string&) {};
  bool hang = false;

  Inserter inserter() {
    return [this](std::string table, std::span<const clickhouse::Block::Column>, std::string body) {
      return insert(this, std::move(table), std::move(body));
    };
  }

  static async::Task<clickhouse::Outcome<void>> insert(FakeEngine* self, std::string table, std::string body) {
    self->log.push_back(table + "+");
    self->begun(body);
    if (self->hang) co_await async::sleep_for(self->io.get_executor(), std::chrono::hours(1));
    for (int turn = 0; turn < 5; ++turn) co_await asio::post(self->io.get_executor(), async::use_task);
    self->log.push_back(table + "-");
    if (const auto code = self->code(body); code != 0) {
      clickhouse::EngineError error;
      error.error = Error{ErrorCode::upstream_error, "refused"};
      error.code = std::max(code, 0);
      co_return std::unexpected(std::move(error));
    }
    self->bodies[table].push_back(std::move(body));
    co_return clickhouse::Outcome<void>{};
  }
};

TablePart part(std::string_view table, std::string body) {
  return {.table = table, .columns = {}, .body = std::move(body), .rows = 1};
}

// Two rows: a step and an execution.
EncodedRows rows_of(const std::string& body) {
  return {{part("processor_executions", "p" + body), part("executions", body)}};
}

async::Task<> write(BatchWriter& writer, std::string body, std::vector<std::string>& results) {
  auto written = co_await writer.write(rows_of(body));
  results.push_back(body + (written ? " stored" : " " + std::string(name_of(written.error().code))));
}

async::Task<> write_parts(BatchWriter& writer, EncodedRows rows, std::vector<std::string>& results) {
  auto written = co_await writer.write(std::move(rows));
  results.push_back(written ? "stored" : std::string(name_of(written.error().code)));
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
  CHECK(f.engine.bodies["executions"] == std::vector<std::string>{"abc"});
  CHECK(f.engine.bodies["processor_executions"] == std::vector<std::string>{"papbpc"});
  CHECK(f.engine.log ==
        std::vector<std::string>{"processor_executions+", "processor_executions-", "executions+", "executions-"});
  CHECK(f.counters.batches == 1);
  CHECK(f.counters.rows["executions"] == 3);
  CHECK(f.counters.rows["processor_executions"] == 3);
}

TEST_CASE("a batch ends at its bounds") {
  Fixture f;
  f.run({.batch_rows = 4}, {"a", "b", "c"});
  CHECK(f.engine.bodies["executions"] == std::vector<std::string>{"ab", "c"});
}

TEST_CASE("a request that the engine refuses for its content fails alone") {
  Fixture f;
  f.engine.code = [](const std::string& body) { return body.find('x') == std::string::npos ? 0 : 117; };
  f.run({}, {"a", "x", "b"});
  CHECK(f.results == std::vector<std::string>{"a stored", "b stored", "x malformed_body"});
  CHECK(f.counters.split_batches == 2);  // abc, then xb
  CHECK(f.counters.refused == 1);
  CHECK(f.engine.bodies["executions"] == std::vector<std::string>{"a", "b"});
  CHECK(f.counters.rows["executions"] == 2);
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
  f.run({.answer_within = std::chrono::milliseconds(10)}, {"a"});
  CHECK(f.results == std::vector<std::string>{"a unavailable"});
}

TEST_CASE("rows beyond what may wait are refused at once") {
  Fixture f;
  f.run({.waiting_bytes = 10}, {"a", "b", "c"});
  CHECK(f.results == std::vector<std::string>{"a stored", "b stored", "c overloaded"});
}

TEST_CASE("rows that could never wait are to be split by who sends them") {
  Fixture f;
  f.run({.waiting_bytes = 3}, {"four", "a"});
  CHECK(f.results == std::vector<std::string>{"a stored", "four body_too_large"});
}

TEST_CASE("stopping writes what waits and takes no more") {
  FakeEngine engine;
  std::vector<std::string> results;
  BatchWriter writer(engine.io.get_executor(), engine.inserter(), {});
  asio::co_spawn(engine.io, write(writer, "a", results), asio::detached);
  asio::co_spawn(engine.io, stop(writer), asio::detached);
  asio::co_spawn(engine.io, write(writer, "b", results), asio::detached);
  engine.io.run();
  std::sort(results.begin(), results.end());
  CHECK(results == std::vector<std::string>{"a stored", "b unavailable"});
}

TEST_CASE("a request alone is inserted at once, and what comes while it runs shares the next insert") {
  Fixture f;
  BatchWriter writer(f.engine.io.get_executor(), f.engine.inserter(), {});
  f.engine.begun = [&](const std::string& body) {
    if (body != "a") return;
    for (const auto* late : {"b", "c"}) asio::co_spawn(f.engine.io, write(writer, late, f.results), asio::detached);
  };
  asio::co_spawn(f.engine.io, write(writer, "a", f.results), asio::detached);
  f.engine.io.run();
  CHECK(f.engine.bodies["executions"] == std::vector<std::string>{"a", "bc"});
  CHECK(f.results == std::vector<std::string>{"a stored", "b stored", "c stored"});
}

TEST_CASE("tables of one request go in side by side, the last one after them") {
  Fixture f;
  BatchWriter writer(f.engine.io.get_executor(), f.engine.inserter(), {});
  EncodedRows rows{{part("route_catalog", "r"), part("processor_executions", "p"), part("executions", "e")}};
  asio::co_spawn(f.engine.io, write_parts(writer, rows, f.results), asio::detached);
  f.engine.io.run();
  CHECK(f.engine.log == std::vector<std::string>{"route_catalog+", "processor_executions+", "route_catalog-",
                                                 "processor_executions-", "executions+", "executions-"});
}

TEST_CASE("requests of different parts share an insert for each table") {
  Fixture f;
  BatchWriter writer(f.engine.io.get_executor(), f.engine.inserter(), {});
  const EncodedRows rows[] = {
      {{part("executions", "1")}},
      {{part("processor_executions", "p2"), part("executions", "2")}},
      {{part("route_catalog", "r3"), part("processor_executions", "p3"), part("executions", "3")}}};
  for (const auto& one : rows) asio::co_spawn(f.engine.io, write_parts(writer, one, f.results), asio::detached);
  f.engine.io.run();
  CHECK(f.engine.bodies["executions"] == std::vector<std::string>{"123"});
  CHECK(f.engine.bodies["processor_executions"] == std::vector<std::string>{"p2p3"});
  CHECK(f.engine.log.back() == "executions-");
  CHECK(f.results == std::vector<std::string>{"stored", "stored", "stored"});
}

TEST_CASE("logs do not wait for executions") {
  Fixture f;
  BatchWriter writer(f.engine.io.get_executor(), f.engine.inserter(), {});
  asio::co_spawn(f.engine.io, write_parts(writer, {{part("executions", "e")}}, f.results), asio::detached);
  asio::co_spawn(f.engine.io, write_parts(writer, {{part("logs", "l")}}, f.results), asio::detached);
  f.engine.io.run();
  CHECK(f.engine.log == std::vector<std::string>{"executions+", "logs+", "executions-", "logs-"});
  CHECK(writer.counters().batches == 2);
}

TEST_CASE("the last part is not inserted when another failed") {
  Fixture f;
  f.engine.code = [](const std::string& body) { return body == "p" ? 241 : 0; };
  BatchWriter writer(f.engine.io.get_executor(), f.engine.inserter(), {});
  EncodedRows rows{{part("route_catalog", "r"), part("processor_executions", "p"), part("executions", "e")}};
  asio::co_spawn(f.engine.io, write_parts(writer, rows, f.results), asio::detached);
  f.engine.io.run();
  CHECK(f.results == std::vector<std::string>{"unavailable"});
  CHECK(f.engine.bodies["executions"].empty());
}
