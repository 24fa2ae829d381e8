#include "server/server_metrics/store_watch.hpp"

#include <boost/asio/this_coro.hpp>

namespace cameleer::server {
namespace {

constexpr std::chrono::seconds kTurn{30};

constexpr const char* kTables =
    "SELECT table, toInt64(count()) AS parts, toInt64(sum(rows)) AS all_rows, toInt64(sum(bytes_on_disk)) AS bytes"
    " FROM system.parts WHERE database = currentDatabase() AND active GROUP BY table ORDER BY table LIMIT 200";
constexpr const char* kMerges =
    "SELECT toInt64(count()) AS merges FROM system.merges WHERE database = currentDatabase()";

}  // namespace

StoreWatch::Table& StoreWatch::table_named(const std::string& name, Metrics& metrics) {
  const auto [at, is_new] = tables_.try_emplace(name);
  auto& table = at->second;
  if (!is_new) return table;
  const auto show = [&](const char* figure, const char* help, std::int64_t Table::* member) {
    metrics.observe(figure, help, {{"table", name}}, [&table, member] { return static_cast<double>(table.*member); });
  };
  show("cameleer_store_parts", "Active parts of a table in the store", &Table::parts);
  show("cameleer_store_rows", "Rows of a table in the store, those to be merged away among them", &Table::rows);
  show("cameleer_store_bytes", "Bytes of a table on the store's disk", &Table::bytes);
  return table;
}

async::Task<Expected<void>> StoreWatch::look(Metrics& metrics) {
  std::map<std::string, Table> found;
  std::function<bool(const clickhouse::Row&)> take = [&found](const clickhouse::Row& row) {
    found[std::string(row.text(row.column("table")))] = {.parts = row.integer(row.column("parts")),
                                                         .rows = row.integer(row.column("all_rows")),
                                                         .bytes = row.integer(row.column("bytes"))};
    return true;
  };
  auto outcome = co_await engine_.select(kTables, {}, std::move(take));
  if (!outcome) co_return std::unexpected(std::move(outcome.error().error));
  for (auto& [name, table] : tables_) table = {};
  for (const auto& [name, table] : found) {
    if (tables_.size() < kMostTables || tables_.contains(name)) table_named(name, metrics) = table;
  }
  std::int64_t merges = 0;
  take = [&merges](const clickhouse::Row& row) {
    merges = row.integer(row.column("merges"));
    return true;
  };
  outcome = co_await engine_.select(kMerges, {}, std::move(take));
  if (!outcome) co_return std::unexpected(std::move(outcome.error().error));
  merges_ = merges;
  co_return Expected<void>{};
}

async::Task<> StoreWatch::run(Metrics& metrics) {
  const auto executor = co_await async::asio::this_coro::executor;
  metrics.observe("cameleer_store_merges", "Merges and mutations under way in the store", {},
                  [this] { return static_cast<double>(merges_); });
  for (;;) {
    // A failure is a store that is gone: readiness tells, the next turn asks again.
    (void)co_await look(metrics);
    co_await async::sleep_for(executor, kTurn);
  }
}

}  // namespace cameleer::server
