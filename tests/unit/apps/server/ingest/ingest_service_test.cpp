#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include "server/ingest/ingest_routes.hpp"

using namespace cameleer;
using namespace cameleer::server;
namespace asio = boost::asio;

namespace {

struct Store {
  std::size_t inserts = 0;
  bool away = false;
  std::string bodies = {};
};

async::Task<clickhouse::Outcome<void>> insert(Store* store, std::string body) {
  if (store->away) {
    clickhouse::EngineError error;
    error.error = Error{ErrorCode::unavailable, "away"};
    co_return std::unexpected(std::move(error));
  }
  ++store->inserts;
  store->bodies += body;
  co_return clickhouse::Outcome<void>{};
}

async::Task<> handle(const web::Route& route, web::Request& request, web::Response& response) {
  response = co_await route.handler(request);
}

// Everything but the engine and the network.
struct Fixture {
  SensitiveKeysOf keys = {};
  asio::io_context io;
  async::WorkerPool workers{1, 8};
  Store store;
  IngestService service{io.get_executor(),
                        [this](std::string, std::span<const clickhouse::Block::Column>, std::string body) {
                          return insert(&store, std::move(body));
                        },
                        workers,
                        [] { return *parse_instant("2026-11-22T02:00:00Z"); },
                        {.sensitive_keys_of = keys}};
  web::Router router;

  explicit Fixture(SensitiveKeysOf keys_ = {}) : keys(std::move(keys_)) { add_ingest_routes(router, service); }

  web::Response post(std::string body, std::vector<web::Header> headers = {{"Content-Type", "application/json"}},
                     DataKind kind = DataKind::executions) {
    auto principal = std::make_shared<Principal>();
    principal->kind = Principal::Kind::agent;
    principal->id = "agent-1";
    principal->environment = "default";
    principal->application = "orders";
    web::Request request;
    request.method = web::Method::post;
    request.headers = std::move(headers);
    request.body = std::move(body);
    request.request_id = "r-1";
    request.principal = principal;
    web::Response response;
    io.restart();
    asio::co_spawn(io, handle(router.routes()[static_cast<std::size_t>(kind)], request, response), asio::detached);
    io.run();
    return response;
  }
};

std::string execution(std::string_view start = "2026-11-22T01:00:00Z") {
  return R"({"executionId":"e","exchangeId":"x","routeId":"r","status":"COMPLETED","startTime":")" +
         std::string(start) +
         R"(","processorExecutions":[{"processorId":"p","processorType":"log","status":"COMPLETED","startTime":")" +
         std::string(start) + "\"}]}";
}

bool has_header(const web::Response& response, std::string_view name) {
  return std::any_of(response.headers.begin(), response.headers.end(), [&](const auto& h) { return h.name == name; });
}

}  // namespace

TEST_CASE("each kind has a route, for agents and bounded") {
  Fixture f;
  REQUIRE(f.router.routes().size() == kDataKinds);
  std::vector<std::string> patterns;
  for (const auto& route : f.router.routes()) {
    CAPTURE(route.pattern);
    CHECK(route.access.name == "agent");
    CHECK(route.limits.body_bytes == 16u << 20);
    patterns.push_back(route.pattern);
  }
  CHECK(patterns == std::vector<std::string>{"/api/v1/data/executions", "/api/v1/data/chunks", "/api/v1/data/logs",
                                             "/api/v1/data/metrics", "/api/v1/data/events", "/api/v1/data/diagrams"});
  CHECK(f.router.routes().front().operation_id == "ingestExecutions");
  CHECK(f.router.seal().has_value());
}

TEST_CASE("executions are accepted when both tables have them") {
  Fixture f;
  const auto response = f.post(execution());
  CHECK(response.status == 202);
  CHECK(response.body == R"({"accepted":1})");
  CHECK(f.store.inserts == 3);  // and the catalogue of routes
}

TEST_CASE("a large request is decoded by a worker") {
  Fixture f;
  std::string body = "[" + execution();
  for (int i = 0; i < 200; ++i) body += "," + execution();
  CHECK(f.post(body + "]").body == R"({"accepted":201})");
}

TEST_CASE("what is refused alone is listed, and nothing but that needs no insert") {
  Fixture f;
  CHECK(f.post("[" + execution("2020-01-01T00:00:00Z") + "]").body ==
        R"({"accepted":0,"rejected":[{"index":0,"reason":"too_old"}]})");
  CHECK(f.store.inserts == 0);
}

TEST_CASE("what is more than ten minutes ahead is stored, listed and counted") {
  Fixture f;
  const auto response = f.post("[" + execution("2026-11-22T02:10:00Z") + "," + execution("2026-11-22T02:10:00.001Z") +
                               "," + execution("2020-01-01T00:00:00Z") + "," + execution("2026-11-23T02:00:00Z") + "]");
  CHECK(response.status == 202);
  CHECK(
      response.body ==
      R"({"accepted":3,"rejected":[{"index":2,"reason":"too_old"}],"flagged":[{"index":1,"reason":"ahead"},{"index":3,"reason":"ahead"}]})");
  CHECK(f.service.counters(DataKind::executions).flagged == 2);
  CHECK(f.service.counters(DataKind::executions).accepted == 3);
}

TEST_CASE("other content types and protocol versions are refused") {
  Fixture f;
  CHECK(f.post(execution(), {}).status == 415);
  CHECK(f.post(execution(), {{"Content-Type", "text/plain"}}).status == 415);
  CHECK(f.post(execution(), {{"Content-Type", "application/jsonp"}}).status == 415);
  CHECK(f.post(execution(), {{"content-type", "Application/JSON; charset=utf-8"}}).status == 202);
  CHECK(f.post(execution(), {{"Content-Type", "application/json"}, {"X-Protocol-Version", "2"}}).status == 400);
  CHECK(f.post(execution(), {{"Content-Type", "application/json"}, {"X-Cameleer-Protocol-Version", "1"}}).status ==
        202);
}

TEST_CASE("a wrong body stores nothing") {
  Fixture f;
  CHECK(f.post("[" + execution() + ",{}]").status == 400);
  CHECK(f.post("{").status == 400);
  CHECK(f.store.inserts == 0);
}

TEST_CASE("an engine that is away is a 503 that says when to try again") {
  Fixture f;
  f.store.away = true;
  const auto response = f.post(execution());
  CHECK(response.status == 503);
  CHECK(has_header(response, "Retry-After"));
}

TEST_CASE("an Idempotency-Key has a bound") {
  Fixture f;
  const auto with_key = [&f](std::size_t length) {
    return f.post(execution(), {{"Content-Type", "application/json"}, {"Idempotency-Key", std::string(length, 'k')}})
        .status;
  };
  CHECK(with_key(128) == 202);
  CHECK(with_key(129) == 400);
}

TEST_CASE("a route is told to the catalogue again only when its rows did not arrive") {
  Fixture f;
  f.store.away = true;
  CHECK(f.post(execution()).status == 503);
  f.store.away = false;
  CHECK(f.post(execution()).status == 202);
  CHECK(f.store.inserts == 3);
  CHECK(f.post(execution()).status == 202);
  CHECK(f.store.inserts == 5);
}

namespace {

async::Task<Expected<std::shared_ptr<const SensitiveKeys>>> keys_for(std::string environment, std::string application) {
  if (environment != "default" || application != "orders") co_return fail(ErrorCode::internal, "asked for another");
  const std::vector<std::string> keys{"orderNumber"};
  co_return std::make_shared<const SensitiveKeys>(keys);
}

async::Task<Expected<std::shared_ptr<const SensitiveKeys>>> no_keys(std::string, std::string) {
  co_return fail(ErrorCode::unavailable, "The database is away.");
}

constexpr const char* kLog =
    R"({"timestamp":"2026-11-22T01:00:00Z","level":"INFO","mdc":{"orderNumber":"num-4711","cookie":"s3cr3t"}})";

}  // namespace

TEST_CASE("the application's own keys are masked") {
  Fixture f(keys_for);
  CHECK(f.post(kLog, {{"Content-Type", "application/json"}}, DataKind::logs).status == 202);
  CHECK(f.store.bodies.find("num-4711") == std::string::npos);
  CHECK(f.store.bodies.find("s3cr3t") != std::string::npos);
}

TEST_CASE("the default keys are masked when the application's are not to be had") {
  for (const SensitiveKeysOf& keys : {SensitiveKeysOf(), SensitiveKeysOf(no_keys)}) {
    Fixture f(keys);
    CHECK(f.post(kLog, {{"Content-Type", "application/json"}}, DataKind::logs).status == 202);
    CHECK(f.store.bodies.find("num-4711") != std::string::npos);
    CHECK(f.store.bodies.find("s3cr3t") == std::string::npos);
  }
}

TEST_CASE("what became of requests and elements is counted by kind") {
  Fixture f;
  const std::vector<web::Header> json{{"Content-Type", "application/json"}};
  f.post(kLog, json, DataKind::logs);
  f.post(R"([{"timestamp":"2020-11-22T01:00:00Z","level":"I"},{"timestamp":"2030-11-22T01:00:00Z","level":"I"}])", json,
         DataKind::logs);
  f.post("{", json, DataKind::logs);
  f.post("{}", json, DataKind::metrics);
  f.store.away = true;
  f.post(kLog, json, DataKind::logs);
  const auto& logs = f.service.counters(DataKind::logs);
  CHECK(logs.accepted == 1);
  CHECK(logs.too_old == 1);
  CHECK(logs.in_future == 1);
  CHECK(logs.refused.at(ErrorCode::malformed_body) == 1);
  CHECK(logs.refused.at(ErrorCode::unavailable) == 1);
  CHECK(f.service.counters(DataKind::metrics).refused.at(ErrorCode::invalid_member) == 1);
  CHECK(f.service.counters().rows.at("logs") == 1);
}
