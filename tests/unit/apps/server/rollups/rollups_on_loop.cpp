#include "rollups_on_loop.hpp"

#include <cmath>

#include "server_schema.hpp"

namespace cameleer::test {
namespace {

using clickhouse::Block;
using server::RollupKind;
using server::StatisticsQuery;
using server::StatisticsRow;

constexpr const char* kName = "LowCardinality(String)";

std::vector<Block::Column> columns_of(bool is_processor) {
  std::vector<Block::Column> columns{
      {"tenant_id", kName},     {"environment", kName},     {"application", kName},
      {"route_id", kName},      {"status", kName},          {"start_time", "DateTime64(3)"},
      {"duration_ms", "Int64"}, {"execution_id", "String"}, {"version", "UInt64"}};
  if (is_processor) {
    columns.push_back({"seq", "UInt32"});
    columns.push_back({"processor_id", kName});
    columns.push_back({"processor_type", kName});
  }
  return columns;
}

void append(Block& block, const RecordedRow& row, bool is_processor) {
  block.append(0, "acme");
  block.append(1, row.environment);
  block.append(2, row.application);
  block.append(3, row.route_id);
  block.append(4, row.status);
  block.append_int(5, milliseconds_of(row.start_time));
  block.append_int(6, row.duration_ms);
  block.append(7, row.execution_id);
  block.append_uint(8, row.version);
  if (!is_processor) return;
  block.append_uint(9, row.seq);
  block.append(10, row.processor_id);
  block.append(11, row.processor_type);
}

std::string key_of(const StatisticsRow& row) {
  return fmt::format("{} {} {} {} {}", format_instant(row.at), row.application, row.route_id, row.processor_id,
                     row.processor_type);
}

void check_near(double estimate, double exact) {
  CHECK(std::abs(estimate - exact) <= 0.01 * std::abs(exact) + 1e-9);
}

// What no estimate is in: sorted durations, and the rank that the reader's figures are of.
constexpr const char* kExact =
    "SELECT toUnixTimestamp(toStartOfMinute(start_time)) AS at, application, route_id, {0} AS processor, {1} AS type, "
    "count() AS n, countIf(status = 'FAILED') AS failures, countIf(duration_ms >= 0) AS timed, "
    "sumIf(duration_ms, duration_ms >= 0) AS total, maxIf(duration_ms, duration_ms >= 0) AS longest, "
    "arraySort(groupArrayIf(duration_ms, duration_ms >= 0)) AS sorted, "
    "sorted[toUInt64(0.5 * (timed - 1)) + 1] AS p50, sorted[toUInt64(0.95 * (timed - 1)) + 1] AS p95, "
    "sorted[toUInt64(0.99 * (timed - 1)) + 1] AS p99 "
    "FROM {2} FINAL WHERE tenant_id = 'acme' AND environment = '{3}' AND status != 'RUNNING' "
    "AND start_time >= fromUnixTimestamp64Milli({4}) AND start_time < fromUnixTimestamp64Milli({5}) "
    "GROUP BY at, application, route_id, processor, type";

}  // namespace

RollupsOnLoop::RollupsOnLoop() {
  auto migrated = run(migrate(engine, database, CAMELEER_CLICKHOUSE_SCHEMA));
  if (!migrated) throw std::runtime_error(migrated.error().message);
}

void RollupsOnLoop::execute(std::string sql) {
  const auto done = run(engine.execute(std::move(sql)));
  if (!done) throw std::runtime_error(done.error().text);
}

std::int64_t RollupsOnLoop::number(std::string sql) {
  std::int64_t value = 0;
  std::function<bool(const clickhouse::Row&)> take = [&value](const clickhouse::Row& row) {
    value = row.integer(0);
    return true;
  };
  const auto done = run(engine.select(std::move(sql), {}, std::move(take)));
  if (!done) throw std::runtime_error(done.error().text);
  return value;
}

void RollupsOnLoop::insert(const std::vector<RecordedRow>& rows) {
  // As ingest does: processors first.
  for (const bool is_processor : {true, false}) {
    const auto columns = columns_of(is_processor);
    Block block(columns);
    for (const auto& row : rows) {
      if (row.processor_id.empty() != is_processor) append(block, row, is_processor);
    }
    if (block.rows() == 0) continue;
    const auto done =
        run(engine.insert(is_processor ? "processor_executions" : "executions", columns, block.encode_native()));
    if (!done) throw std::runtime_error(done.error().text);
  }
}

std::unique_ptr<server::RollupService> RollupsOnLoop::job(std::string holder, server::RollupOptions options) {
  options.tenant = "acme";
  options.holder = std::move(holder);
  options.delay = std::chrono::milliseconds(0);  // whoever inserts here waits for its end
  options.rests = false;
  return std::make_unique<server::RollupService>(
      *pool, engine, [this] { return now; }, [this](std::string_view) { return kept_since; }, std::move(options));
}

void RollupsOnLoop::roll_up(server::RollupService& job) {
  const auto until = run(store.now()).value();
  for (int steps = 0; steps < 1'000; ++steps) {
    const auto step = run(job.step());
    if (!step) throw std::runtime_error(step.error().message);
    if (*step == server::RollupService::Step::others) throw std::runtime_error("another process holds the job");
    if (*step == server::RollupService::Step::done && job.position()->taken_before > until) return;
  }
  throw std::runtime_error("the job does not come to an end");
}

std::vector<StatisticsRow> RollupsOnLoop::read(StatisticsQuery query) {
  auto rows = run(statistics.read(std::move(query)));
  if (!rows) throw std::runtime_error(rows.error().message);
  return *std::move(rows);
}

void RollupsOnLoop::compare(const std::string& environment, Instant from, Instant to) {
  compare(RollupKind::routes, environment, from, to);
  compare(RollupKind::processors, environment, from, to);
}

void RollupsOnLoop::compare(RollupKind kind, const std::string& environment, Instant from, Instant to) {
  const bool is_route = kind == RollupKind::routes;
  std::map<std::string, StatisticsRow> shown;
  for (auto& row : read({.environment = environment,
                         .from = from,
                         .to = to,
                         .of = kind,
                         .by = is_route ? StatisticsQuery::By::route : StatisticsQuery::By::processor,
                         .bucket = std::chrono::minutes(1)})) {
    const auto key = key_of(row);
    CHECK(shown.emplace(key, std::move(row)).second);
  }
  std::size_t expected = 0;
  std::function<bool(const clickhouse::Row&)> take = [&](const clickhouse::Row& row) {
    StatisticsRow exact;
    exact.at = Instant(std::chrono::seconds(row.integer(row.column("at"))));
    exact.application = row.text(row.column("application"));
    exact.route_id = row.text(row.column("route_id"));
    exact.processor_id = row.text(row.column("processor"));
    exact.processor_type = row.text(row.column("type"));
    ++expected;
    const auto key = key_of(exact);
    INFO(environment << " " << key);
    const auto found = shown.find(key);
    REQUIRE(found != shown.end());
    const auto& mine = found->second;
    const auto number = [&row](const char* name) { return row.integer(row.column(name)); };
    CHECK(static_cast<std::int64_t>(mine.count) == number("n"));
    CHECK(static_cast<std::int64_t>(mine.failed) == number("failures"));
    CHECK(static_cast<std::int64_t>(mine.timed) == number("timed"));
    CHECK(mine.duration_sum_ms == number("total"));
    CHECK(mine.duration_max_ms == number("longest"));
    REQUIRE(mine.p50_ms.has_value() == (number("timed") > 0));
    if (!mine.p50_ms) return true;
    check_near(*mine.p50_ms, row.number(row.column("p50")));
    check_near(*mine.p95_ms, row.number(row.column("p95")));
    check_near(*mine.p99_ms, row.number(row.column("p99")));
    return true;
  };
  const auto done =
      run(engine.select(fmt::format(kExact, is_route ? "''" : "processor_id", is_route ? "''" : "processor_type",
                                    is_route ? "executions" : "processor_executions", environment,
                                    milliseconds_of(from), milliseconds_of(to)),
                        {}, std::move(take)));
  if (!done) throw std::runtime_error(done.error().text);
  CHECK(shown.size() == expected);
}

void RollupsOnLoop::compare_tables(Instant rolled_before) {
  for (const auto kind : server::kRollupKinds) {
    const bool is_route = kind == RollupKind::routes;
    const auto keys = fmt::format("tenant_id, environment, minute, application, route_id{}",
                                  is_route ? "" : ", processor_id, processor_type");
    const auto rolled =
        fmt::format("SELECT {}, finished, failed, timed, duration_sum, duration_max, seen FROM {} FINAL", keys,
                    server::table_of(kind));
    const auto raw = fmt::format(
        "SELECT {}, countIf(status != 'RUNNING'), countIf(status = 'FAILED'), "
        "countIf(status != 'RUNNING' AND duration_ms >= 0), sumIf(duration_ms, status != 'RUNNING' AND duration_ms >= "
        "0), "
        "maxIf(duration_ms, status != 'RUNNING' AND duration_ms >= 0), count() "
        "FROM (SELECT *, toStartOfMinute(start_time) AS minute FROM {} FINAL WHERE start_time < "
        "fromUnixTimestamp64Milli({})) GROUP BY {}",
        keys, is_route ? "executions" : "processor_executions", milliseconds_of(rolled_before), keys);
    INFO(server::table_of(kind));
    CHECK(number(fmt::format("SELECT toInt64(count()) FROM ({} EXCEPT {})", rolled, raw)) == 0);
    CHECK(number(fmt::format("SELECT toInt64(count()) FROM ({} EXCEPT {})", raw, rolled)) == 0);
  }
}

}  // namespace cameleer::test
