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
};

async::Task<clickhouse::Outcome<void>> insert(Store* store) {
  if (store->away) {
    clickhouse::EngineError error;
    error.error = Error{ErrorCode::unavailable, "away"};
    co_return std::unexpected(std::move(error));
  }
  ++store->inserts;
  co_return clickhouse::Outcome<void>{};
}

async::Task<> handle(const web::Route& route, web::Request& request, web::Response& response) {
  response = co_await route.handler(request);
}

// Everything but the engine and the network.
struct Fixture {
  asio::io_context io;
  async::WorkerPool workers{1, 8};
  Store store;
  IngestService service{
      io.get_executor(),
      [this](std::string, std::span<const clickhouse::Block::Column>, std::string) { return insert(&store); },
      workers,
      [] { return *parse_instant("2026-11-22T02:00:00Z"); },
      {}};
  web::Router router;

  Fixture() { add_ingest_routes(router, service); }

  web::Response post(std::string body, std::vector<web::Header> headers = {{"Content-Type", "application/json"}}) {
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
    asio::co_spawn(io, handle(router.routes().front(), request, response), asio::detached);
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

TEST_CASE("the route is for agents and bounded") {
  Fixture f;
  const auto& route = f.router.routes().front();
  CHECK(route.access.name == "agent");
  CHECK(route.operation_id == "ingestExecutions");
  CHECK(route.limits.body_bytes == 16u << 20);
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
