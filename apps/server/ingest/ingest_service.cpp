#include "server/ingest/ingest_service.hpp"

namespace cameleer::server {
namespace {

constexpr std::chrono::hours kAhead{24};
constexpr std::chrono::minutes kFlaggedAhead{10};

// An agent is one within its environment.
std::uint64_t sender_of(const std::string& environment, const std::string& agent) {
  return std::hash<std::string>()(environment + '\0' + agent);
}

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
      turns_(executor, options_.turns),
      writer_(executor, std::move(inserter), options_.batch, &workers) {
  if (options_.journal) journal_.emplace(executor, writer_, clock_, *options_.journal);
}

IngestService::IngestService(async::Executor executor, clickhouse::Client& engine, async::WorkerPool& workers,
                             Clock clock, IngestOptions options)
    : IngestService(
          executor,
          [&engine](std::string table, std::span<const clickhouse::Block::Column> columns, std::string body) {
            return insert_into(&engine, std::move(table), columns, std::move(body));
          },
          workers, std::move(clock), std::move(options)) {}

async::Task<std::shared_ptr<const DecodeRules>> IngestService::rules_for(const Principal& agent) {
  if (!options_.sensitive_keys_of) co_return rules_;
  auto keys = co_await options_.sensitive_keys_of(agent.environment, agent.application);
  if (!keys || !*keys) co_return rules_;
  auto rules = std::make_shared<DecodeRules>(*rules_);
  rules->sensitive_keys = std::move(*keys);
  co_return rules;
}

async::Task<Expected<DecodedRequest>> IngestService::decode(DataKind kind, const Principal& agent, std::string body,
                                                            DecodeContext context, std::uint64_t sender) {
  const auto decode = info_of(kind).decode;
  auto rules = co_await rules_for(agent);
  if (body.size() <= options_.inline_bytes) co_return decode(std::move(body), *rules, context);
  const auto turn = co_await turns_.take(sender, body.size());  // until the work is done
  if (!turn) co_return std::unexpected(turn.error());
  auto work = [decode, body = std::move(body), rules = std::move(rules), context = std::move(context)]() mutable {
    return decode(std::move(body), *rules, context);
  };
  auto outcome = co_await workers_.run(std::move(work));
  if (!outcome) co_return std::unexpected(std::move(outcome.error()));
  co_return std::move(*outcome);
}

async::Task<Expected<IngestResult>> IngestService::take(DataKind kind, const Principal& agent, std::string body,
                                                        std::string idempotency_key) {
  const auto kept =
      options_.retention_of ? co_await options_.retention_of(agent.environment, kind) : options_.retention;
  const auto now = clock_();
  // Rows carry a name that no other environment has or had, whatever becomes of this one.
  const auto& environment = agent.data_name.empty() ? agent.environment : agent.data_name;
  const auto sender = sender_of(environment, agent.id);
  auto decoded = co_await decode(kind, agent, std::move(body),
                                 {.environment = environment,
                                  .application = agent.application,
                                  .agent_id = agent.id,
                                  .idempotency_key = std::move(idempotency_key),
                                  .now = now,
                                  .oldest = now - kept,
                                  .newest = now + kAhead,
                                  .ahead = now + kFlaggedAhead},
                                 sender);
  if (!decoded) co_return std::unexpected(std::move(decoded.error()));

  IngestResult result{decoded->accepted, std::move(decoded->rejected), std::move(decoded->flagged)};
  if (result.accepted == 0) co_return result;
  const auto sightings = catalog_.take_due(environment, decoded->routes, now);
  auto& parts = decoded->rows.parts;
  if (!sightings.empty()) parts.insert(parts.begin(), catalog_rows(options_.tenant, environment, sightings));
  auto& rows = decoded->rows;
  rows.sender = sender;
  const bool journaled = journal_ && !options_.acknowledge_stored;
  auto written = journaled ? co_await journal_->write(std::move(rows)) : co_await writer_.write(std::move(rows));
  if (!written) {
    catalog_.forget(environment, sightings);
    // Whether the content is to blame is not known: the agent keeps it.
    if (written.error().code == ErrorCode::upstream_error) written.error().code = ErrorCode::unavailable;
    co_return std::unexpected(std::move(written.error()));
  }
  co_return result;
}

async::Task<Expected<void>> IngestService::open() {
  if (journal_) co_return co_await journal_->open();
  co_return Expected<void>{};
}

async::Task<> IngestService::stop() {
  if (journal_) co_await journal_->stop();
  co_await writer_.stop();
}

async::Task<Expected<IngestResult>> IngestService::ingest(DataKind kind, const Principal& agent, std::string body,
                                                          std::string idempotency_key) {
  auto result = co_await take(kind, agent, std::move(body), std::move(idempotency_key));
  auto& counters = kinds_[static_cast<std::size_t>(kind)];
  if (!result) {
    ++counters.refused[result.error().code];
    co_return result;
  }
  counters.accepted += result->accepted;
  counters.flagged += result->flagged.size();
  for (const auto& rejection : result->rejected) {
    ++(rejection.reason == "too_old" ? counters.too_old : counters.in_future);
  }
  co_return result;
}

}  // namespace cameleer::server
