#include "server/ingest/part_inserts.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace cameleer::server {
namespace {

bool same_shape(const TablePart& a, const TablePart& b) {
  if (a.table != b.table || a.columns.size() != b.columns.size()) return false;
  return a.columns.data() == b.columns.data() ||
         std::ranges::equal(a.columns, b.columns,
                            [](const auto& x, const auto& y) { return x.name == y.name && x.type == y.type; });
}

// Inserts that run side by side; the outcome is the first failure.
struct Inserts {
  Inserts(async::Executor executor, std::size_t count)
      : ended(executor, async::SteadyTimer::time_point::max()), running(count) {}
  async::SteadyTimer ended;  // cancelled when none runs
  std::size_t running;
  clickhouse::Outcome<void> outcome;
  std::exception_ptr thrown;
};

async::Task<> insert_one(const Inserter* inserter, TablePart part, std::shared_ptr<Inserts> inserts) {
  try {
    auto outcome = co_await (*inserter)(std::string(part.table), part.columns, std::move(part.body));
    if (!outcome && inserts->outcome) inserts->outcome = std::move(outcome);
  } catch (...) {
    inserts->thrown = std::current_exception();
  }
  if (--inserts->running == 0) inserts->ended.cancel();
}

}  // namespace

std::vector<TablePart> joined_parts(std::span<const EncodedRows* const> all) {
  std::vector<TablePart> parts;
  if (all.empty()) return parts;
  std::vector<std::size_t> sizes;
  const auto find = [&parts](const TablePart& part) {
    return std::ranges::find_if(parts, [&part](const auto& known) { return same_shape(known, part); });
  };
  for (const auto* rows : all) {
    for (const auto& part : rows->parts) {
      const auto at = static_cast<std::size_t>(find(part) - parts.begin());
      if (at == parts.size()) {
        parts.push_back({.table = part.table, .columns = part.columns, .rows = 0, .own_columns = part.own_columns});
        sizes.push_back(0);
      }
      sizes[at] += part.body.size();
    }
  }
  for (std::size_t i = 0; i < parts.size(); ++i) parts[i].body.reserve(sizes[i]);
  for (const auto* rows : all) {
    for (const auto& part : rows->parts) {
      const auto same = find(part);
      same->body += part.body;
      same->rows += part.rows;
    }
  }
  const auto last = all.front()->parts.back().table;
  std::partition(parts.begin(), parts.end(), [last](const auto& part) { return part.table != last; });
  return parts;
}

async::Task<clickhouse::Outcome<void>> insert_parts(async::Executor executor, const Inserter& inserter,
                                                    std::vector<TablePart> parts) {
  auto last = std::move(parts.back());
  parts.pop_back();
  if (!parts.empty()) {
    const auto inserts = std::make_shared<Inserts>(executor, parts.size());
    for (auto& part : parts) {
      boost::asio::co_spawn(executor, insert_one(&inserter, std::move(part), inserts), boost::asio::detached);
    }
    if (inserts->running > 0) co_await inserts->ended.async_wait(async::as_result);
    if (inserts->thrown) std::rethrow_exception(inserts->thrown);
    if (!inserts->outcome) co_return std::move(inserts->outcome);
  }
  co_return co_await inserter(std::string(last.table), last.columns, std::move(last.body));
}

}  // namespace cameleer::server
