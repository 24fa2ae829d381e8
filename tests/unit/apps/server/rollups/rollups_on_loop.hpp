#pragma once
#include <fmt/format.h>

#include <map>
#include <random>

#include "engine_session.hpp"
#include "server/rollups/rollup_statistics.hpp"
#include "services_on_loop.hpp"

namespace cameleer::test {

/// A row of `executions`, or with `processor_id` one of `processor_executions`.
struct RecordedRow {
  std::string environment = "default", application = "orders", route_id = "r1", status = "COMPLETED";
  Instant start_time{};
  std::int64_t duration_ms = 5;
  std::string execution_id;
  std::uint64_t version = std::uint64_t{1} << 63;  ///< of a finished one
  std::uint32_t seq = 0;
  std::string processor_id = {}, processor_type = {};
};

/// Roll-ups over a real engine and a real PostgreSQL. Rows arrive when they are inserted; the leases' clock stands
/// still until a test moves `now`.
struct RollupsOnLoop : ServicesOnLoop {
  RollupsOnLoop();

  void insert(const std::vector<RecordedRow>& rows);
  void execute(std::string sql);
  /// First cell of the answer.
  std::int64_t number(std::string sql);

  std::unique_ptr<server::RollupService> job(std::string holder, server::RollupOptions options = {});
  /// Steps until all that has arrived so far is taken.
  void roll_up(server::RollupService& job);
  std::vector<server::StatisticsRow> read(server::StatisticsQuery query);

  /// Figures by minute and key, computed from all rows of [from, to) by sorting them, compared with what the reader
  /// answers; and with what the tables hold of minutes before `rolled_before`.
  void compare(const std::string& environment, Instant from, Instant to);
  void compare_tables(Instant rolled_before);

  Instant kept_since{};
  std::string database = unique_database("rollups");
  clickhouse::Client engine{io.get_executor(), options_for(PrivateEngine::shared(), database)};
  server::RollupStore store{engine, "acme"};
  std::unique_ptr<server::RollupService> first = job("first"), second = job("second");
  server::Statistics statistics{engine, *first, "acme"};

 private:
  void compare(server::RollupKind kind, const std::string& environment, Instant from, Instant to);
};

}  // namespace cameleer::test
