#include "server/retention/retention_tables.hpp"

#include <fmt/format.h>

#include <charconv>

namespace cameleer::server {
namespace {

using clickhouse::Outcome;
using clickhouse::Parameter;
using Kind = TelemetryKind;

constexpr RetentionTables::Table kTables[] = {
    {Kind::execution, "executions", "start_time"},
    {Kind::execution, "processor_executions", "start_time"},
    {Kind::execution, "execution_arrivals", "start_time"},
    {Kind::log, "logs", "time"},
    {Kind::metric, "agent_metrics", "time"},
    {Kind::metric, "agent_events", "time"},
};

// A table's comment from the change of its clauses, in one step with it, until what it stores was told of them: whoever
// looks next, after a death as well, goes on there.
constexpr std::string_view kUntold = "Retention has changed, and what is stored is to be told.";

// Two lists side by side: the days of each clause, and the names in it as they stand there.
constexpr const char* kRead =
    R"(SELECT name, extractAll(create_table_query, 'toIntervalDay\\((\\d+)\\) WHERE environment IN \\(') AS days, )"
    R"(extractAll(create_table_query, 'WHERE environment IN \\(([^)]*)\\)') AS names, )"
    "comment "
    "FROM system.tables WHERE database = currentDatabase() AND name IN {names:Array(String)}";

// The engine's spelling of names in which nothing needs an escape.
std::vector<std::string> names_in(std::string_view list) {
  std::vector<std::string> names;
  for (auto begin = list.find('\''); begin != std::string_view::npos; begin = list.find('\'')) {
    const auto end = list.find('\'', begin + 1);
    if (end == std::string_view::npos) break;
    names.emplace_back(list.substr(begin + 1, end - begin - 1));
    list.remove_prefix(end + 1);
  }
  return names;
}

RetentionClauses clauses_in(const clickhouse::Row& row) {
  RetentionClauses clauses;
  const auto days = row.array(row.column("days"));
  const auto lists = row.array(row.column("names"));
  for (std::size_t i = 0; i < std::min(days.size(), lists.size()); ++i) {
    std::int64_t count = 0;
    std::from_chars(days[i].data(), days[i].data() + days[i].size(), count);
    for (auto& name : names_in(lists[i])) clauses.emplace(std::move(name), std::chrono::days(count));
  }
  return clauses;
}

}  // namespace

std::span<const RetentionTables::Table> RetentionTables::all() {
  return kTables;
}

async::Task<Outcome<std::vector<RetentionTables::Present>>> RetentionTables::read() {
  std::vector<std::string> names;
  for (const auto& table : kTables) names.emplace_back(table.name);
  std::vector<Present> present;
  std::function<bool(const clickhouse::Row&)> take = [&present](const clickhouse::Row& row) {
    const auto name = row.text(row.column("name"));
    for (const auto& table : kTables) {
      if (table.name != name) continue;
      // One that is as good as unchanged is changed again.
      const bool told = row.text(row.column("comment")) != kUntold;
      present.push_back({.table = table, .clauses = told ? clauses_in(row) : RetentionClauses{}});
    }
    return true;
  };
  clickhouse::Parameters parameters{Parameter::texts("names", names)};
  auto outcome = co_await engine_.select(kRead, std::move(parameters), std::move(take));
  if (!outcome) co_return std::unexpected(std::move(outcome.error()));
  co_return present;
}

async::Task<Outcome<void>> RetentionTables::change(Present table, RetentionClauses clauses) {
  clickhouse::Parameters which{Parameter::text("table", table.table.name)};
  const bool tells = shortens(table.clauses, clauses);
  auto done = co_await engine_.execute(
      fmt::format(
          "ALTER TABLE {{table:Identifier}} "
          "(MODIFY SETTING merge_with_ttl_timeout = 300, materialize_ttl_recalculate_only = 1), (MODIFY TTL {}){} "
          "SETTINGS materialize_ttl_after_modify = 0",
          ttl_of(clauses, table.table.time), tells ? fmt::format(", (MODIFY COMMENT '{}')", kUntold) : ""),
      which);
  if (!done || !tells) co_return done;
  // Reads the times alone; without it a part that is not merged any more would never learn of it.
  done = co_await engine_.execute("ALTER TABLE {table:Identifier} MATERIALIZE TTL SETTINGS mutations_sync = 0", which);
  if (!done) co_return done;
  co_return co_await engine_.execute("ALTER TABLE {table:Identifier} MODIFY COMMENT ''", std::move(which));
}

}  // namespace cameleer::server
