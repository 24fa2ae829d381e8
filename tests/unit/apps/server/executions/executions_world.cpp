#include "executions_world.hpp"

#include "../../../libs/clickhouse/server_schema.hpp"

namespace cameleer::server::test {
namespace {

async::Task<Expected<ReadableEnvironment>> readable(std::string slug) {
  if (slug == "default" || slug == "test") co_return ReadableEnvironment{slug, kKept};
  if (slug == "again") co_return ReadableEnvironment{"again~2", kKept};
  co_return fail(ErrorCode::environment_not_found, "There is no environment of this name.", "environment");
}

}  // namespace

World::World(async::Executor executor)
    : now(std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now())),
      start(now - std::chrono::minutes(10)),
      engine(executor, cameleer::test::options_for(cameleer::test::PrivateEngine::shared(), database)),
      ingest(executor, engine, workers, [this] { return now; }, {}),
      executions(engine, readable, [this] { return now; }, {.cursor_key = std::vector<std::byte>(32, std::byte{1})}) {}

std::string World::record(std::string_view id, milliseconds after, std::string_view status,
                          std::string_view more) const {
  return fmt::format(R"({{"executionId":"{}","exchangeId":"x-{}","routeId":"r","status":"{}","startTime":"{}"{}{}}})",
                     id, id, status, format_instant(start + after), more.empty() ? "" : ",", more);
}

async::Task<> World::send(std::string body, std::string environment, DataKind kind, std::string data_name) {
  Principal agent;
  agent.kind = Principal::Kind::agent;
  agent.id = "agent-1";
  agent.environment = std::move(environment);
  agent.data_name = std::move(data_name);
  agent.application = "orders";
  const auto result = co_await ingest.ingest(kind, agent, std::move(body));
  if (!result) throw std::runtime_error(result.error().message + " " + result.error().member);
}

async::Task<ExecutionPage> World::page(ExecutionFilter filter, std::string cursor, std::string environment) {
  auto found = co_await executions.search(std::move(environment), std::move(filter), std::move(cursor));
  if (!found) throw std::runtime_error(found.error().message);
  co_return *std::move(found);
}

async::Task<Ids> World::ids(ExecutionFilter filter, std::string environment) {
  const auto found = co_await page(std::move(filter), "", std::move(environment));
  Ids ids;
  for (const auto& row : found.items) ids.push_back(row.execution.execution_id);
  CHECK(found.total == ids.size());
  co_return ids;
}

void in_world(std::function<async::Task<>(World&)> body) {
  cameleer::test::run([&body](async::Executor executor) -> async::Task<> {
    World world(executor);
    const auto migrated = co_await cameleer::test::migrate(world.engine, world.database, CAMELEER_CLICKHOUSE_SCHEMA);
    if (!migrated) throw std::runtime_error(migrated.error().message);
    co_await body(world);
    co_await world.ingest.stop();
  });
}

std::string step(std::uint32_t seq, std::int64_t parent, Instant start, std::string_view more) {
  return fmt::format(
      R"({{"seq":{},{}"processorId":"p{}","processorType":"log","status":"COMPLETED","startTime":"{}"{}{}}})", seq,
      parent < 0 ? "" : fmt::format("\"parentSeq\":{},", parent), seq, format_instant(start), more.empty() ? "" : ",",
      more);
}

}  // namespace cameleer::server::test
