#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <cstdlib>
#include <stdexcept>

#include "private_engine.hpp"
#include "server/rollups/rollup_store.hpp"
#include "server_schema.hpp"

/// The benchmark of roll-ups: `bench_rollups <executions> <rounds> <folder of the schema>`. Makes a day of executions
/// with ten processors each, as 144 inserts leave them, rolls the day up in the job's own statements, and asks for the
/// day's figures from roll-ups and from rows in turns.
namespace {

using namespace cameleer;
using namespace cameleer::server;
using std::chrono::hours;
using std::chrono::minutes;

constexpr std::string_view kEnvironment = "production";
constexpr int kRoutes = 50;
const Instant kDay{std::chrono::sys_days(std::chrono::year(2026) / 11 / 20)};

struct Bench {
  clickhouse::Client engine;
  RollupStore store{engine, "bench"};
  std::int64_t executions;
  int rounds;
};

void check(const clickhouse::Outcome<void>& outcome) {
  if (!outcome) throw std::runtime_error(outcome.error().error.message + " " + outcome.error().text);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
  }

 private:
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

// Durations of a logarithmic normal distribution, median 20 ms; a twentieth fails.
async::Task<> make_rows(Bench& bench) {
  const auto share = bench.executions / 144;
  for (int part = 0; part < 144; ++part) {
    const auto first = milliseconds_of(kDay + part * minutes(10));
    const auto common = fmt::format(
        "'bench' AS tenant_id, '{}' AS environment, concat('application-', toString(route % 5)) AS application, "
        "concat('route-', toString(route)) AS route_id, if(cityHash64(id, 1) % 20 = 0, 'FAILED', 'COMPLETED') AS "
        "status, "
        "fromUnixTimestamp64Milli({} + cityHash64(id, 2) % 600000) AS start_time, "
        "toInt64(exp(3 + 1.3 * sqrt(-2 * log((1 + cityHash64(id, step) % 100003) / 100004)) * "
        "cos(6.2831853 * (cityHash64(id, step, 1) % 100003) / 100003))) AS duration_ms, "
        "lower(hex(sipHash128(id))) AS execution_id, 9223372036854775808 + 1 AS version",
        kEnvironment, first);
    const auto ids = fmt::format("(SELECT number + {} AS id, cityHash64(id) % {} AS route FROM numbers({}))",
                                 part * share, kRoutes, share);
    const std::string columns =
        "tenant_id, environment, application, route_id, status, start_time, duration_ms, execution_id, version";
    check(co_await bench.engine.execute(fmt::format(
        "INSERT INTO processor_executions ({0}, seq, processor_id, processor_type) SELECT {0}, step, "
        "concat('to-', toString(route), '-', toString(step)), ['log', 'to', 'bean'][1 + step % 3] FROM "
        "(SELECT {1}, route, toUInt32(step) AS step FROM (SELECT *, step FROM {2} ARRAY JOIN range(10) AS step))",
        columns, common, ids)));
    check(co_await bench.engine.execute(
        fmt::format("INSERT INTO executions ({0}) SELECT {0} FROM (SELECT {1} FROM (SELECT *, 0 AS step FROM {2}))",
                    columns, common, ids)));
  }
}

async::Task<> roll(Bench& bench, RollupKind kind, std::int64_t rows) {
  std::vector<double> by_hour;
  for (int hour = 0; hour < 24; ++hour) {
    const Stopwatch watch;
    for (int part = 0; part < 6; ++part) {
      const auto from = kDay + hours(hour) + part * minutes(10);
      auto replaced = co_await bench.store.replace(kind, std::string(kEnvironment), {from, from + minutes(10)});
      if (!replaced) throw std::runtime_error(replaced.error().message);
    }
    by_hour.push_back(watch.seconds());
  }
  double all = 0;
  for (const double one : by_hour) all += one;
  fmt::print("{:<20} {:>12} {:>14.0f} {:>16.0f}\n", table_of(kind), rows, median(by_hour) * 1e3,
             static_cast<double>(rows) / all);
}

async::Task<std::pair<double, std::uint64_t>> ask(Bench& bench, FiguresSql query, minutes bucket) {
  clickhouse::Parameters parameters{clickhouse::Parameter::text("tenant", "bench"),
                                    clickhouse::Parameter::text("environment", kEnvironment),
                                    clickhouse::Parameter::integer("bucket", std::chrono::seconds(bucket).count()),
                                    clickhouse::Parameter::integer("most", 100'000)};
  const auto sql = figures_sql(query, parameters);
  std::uint64_t count = 0;
  std::function<bool(const clickhouse::Row&)> take = [&count](const clickhouse::Row& row) {
    count += static_cast<std::uint64_t>(row.integer(row.column("n")));
    return true;
  };
  const Stopwatch watch;
  check(co_await bench.engine.select(sql, std::move(parameters), std::move(take)));
  co_return std::pair(watch.seconds(), count);
}

struct Question {
  std::string_view name;
  RollupKind kind;
  std::string_view keys, more;
  minutes bucket;
};

async::Task<> compare(Bench& bench, Question question) {
  const std::vector<MinuteRange> day{{kDay, kDay + hours(24)}};
  std::vector<double> rolled, raw;
  for (int round = 0; round < bench.rounds; ++round) {
    const FiguresSql from_rolled{question.kind, question.keys, question.more, day, {}};
    const FiguresSql from_raw{question.kind, question.keys, question.more, {}, day};
    const auto one = co_await ask(bench, from_rolled, question.bucket);
    const auto other = co_await ask(bench, from_raw, question.bucket);
    if (one.second != other.second || one.second == 0) throw std::runtime_error("the answers differ");
    rolled.push_back(one.first);
    raw.push_back(other.first);
  }
  fmt::print("{:<52} {:>12.1f} {:>12.1f} {:>10.1f}\n", question.name, median(rolled) * 1e3, median(raw) * 1e3,
             median(raw) / median(rolled));
}

async::Task<> run(Bench& bench, std::string schema) {
  if (auto made = co_await test::migrate(bench.engine, "bench", std::move(schema)); !made) {
    throw std::runtime_error(made.error().message);
  }
  co_await make_rows(bench);
  fmt::print("{:<20} {:>12} {:>14} {:>16}\n", "rolled up", "rows", "ms an hour", "rows/s");
  const auto executions = bench.executions / 144 * 144;
  co_await roll(bench, RollupKind::routes, executions);
  co_await roll(bench, RollupKind::processors, executions * 10);
  fmt::print("\n{:<52} {:>12} {:>12} {:>10}\n", "24 hours, median ms", "roll-ups", "rows", "times");
  const Question questions[] = {
      {"series of all by 10 minutes", RollupKind::routes, "", "", minutes(10)},
      {"series of all by the minute", RollupKind::routes, "", "", minutes(1)},
      {"series of one route by 10 minutes", RollupKind::routes, "",
       " AND application = 'application-3' AND route_id = 'route-13'", minutes(10)},
      {"totals of each route", RollupKind::routes, "application, route_id, ", "", minutes(0)},
      {"totals of each processor of one route", RollupKind::processors,
       "application, route_id, processor_id, processor_type, ",
       " AND application = 'application-3' AND route_id = 'route-13'", minutes(0)},
      {"totals of each processor of all", RollupKind::processors,
       "application, route_id, processor_id, processor_type, ", "", minutes(0)},
  };
  for (const auto& question : questions) co_await compare(bench, question);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) return 2;
  test::PrivateEngine private_engine;
  boost::asio::io_context context;
  Bench bench{.engine = {context.get_executor(),
                         {.url = private_engine.url(),
                          .password = {},
                          .database = "bench",
                          .query_time = std::chrono::minutes(5)}},
              .executions = std::atoll(arguments[1]),
              .rounds = std::atoi(arguments[2])};
  std::exception_ptr thrown;
  boost::asio::co_spawn(context, run(bench, arguments[3]), [&](std::exception_ptr error) { thrown = error; });
  context.run();
  if (!thrown) return 0;
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    fmt::print(stderr, "rollups: {}\n", error.what());
  }
  return 1;
}
