#include "server/ingest/ingest_service.hpp"

namespace cameleer::server {
namespace {

constexpr std::chrono::hours kAhead{24};

// The engine as an inserter. A plain function: a coroutine lambda would lose its captures.
async::Task<clickhouse::Outcome<void>> insert_into(clickhouse::Client* engine, std::string table,
                                                   std::span<const clickhouse::Block::Column> columns,
                                                   std::string body) {
  co_return co_await engine->insert(std::move(table), columns, std::move(body));
}

std::shared_ptr<const DecodeRules> make_rules(const IngestOptions& options) {
  auto rules = std::make_shared<DecodeRules>();
  rules->tenant = options.tenant;
  rules->body_bytes = options.body_bytes;
  rules->sensitive_keys = std::make_shared<const SensitiveKeys>(options.sensitive_keys);
  return rules;
}

}  // namespace

IngestService::IngestService(async::Executor executor, Inserter inserter, async::WorkerPool& workers, Clock clock,
                             IngestOptions options)
    : workers_(workers),
      clock_(std::move(clock)),
      options_(std::move(options)),
      rules_(make_rules(options_)),
      writer_(executor, std::move(inserter), options_.batch) {}

IngestService::IngestService(async::Executor executor, clickhouse::Client& engine, async::WorkerPool& workers,
                             Clock clock, IngestOptions options)
    : IngestService(
          executor,
          [&engine](std::string table, std::span<const clickhouse::Block::Column> columns, std::string body) {
            return insert_into(&engine, std::move(table), columns, std::move(body));
          },
          workers, std::move(clock), std::move(options)) {}

async::Task<Expected<IngestResult>> IngestService::ingest_executions(const Principal& agent, std::string body) {
  DecodeContext context;
  context.environment = agent.environment;
  context.application = agent.application;
  context.agent_id = agent.id;
  context.now = clock_();
  context.oldest = context.now - options_.retention;
  context.newest = context.now + kAhead;

  Expected<DecodedRequest> decoded;
  if (body.size() <= options_.inline_bytes) {
    decoded = decode_executions(std::move(body), *rules_, context);
  } else {
    auto work = [body = std::move(body), rules = rules_, context]() mutable {
      return decode_executions(std::move(body), *rules, context);
    };
    auto outcome = co_await workers_.run(std::move(work));
    if (!outcome) co_return std::unexpected(std::move(outcome.error()));
    decoded = std::move(*outcome);
  }
  if (!decoded) co_return std::unexpected(std::move(decoded.error()));

  IngestResult result{decoded->accepted, std::move(decoded->rejected)};
  if (result.accepted == 0) co_return result;
  auto written = co_await writer_.write(std::move(decoded->rows));
  if (!written) co_return std::unexpected(std::move(written.error()));
  co_return result;
}

}  // namespace cameleer::server
