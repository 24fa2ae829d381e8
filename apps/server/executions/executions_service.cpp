#include "server/executions/executions_service.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cameleer::server {
namespace {

constexpr std::uint64_t kCountedUpTo = 10'000;
constexpr std::size_t kCorrelated = 100;
constexpr std::chrono::days kCorrelatedSpan{7};
// Starts may lie ahead of our clock by as much as ingest allows.
constexpr std::chrono::hours kAhead{48};

std::string cursor_scope(std::string_view tenant, std::string_view environment, const ExecutionFilter& filter) {
  return fmt::format("{}/{}/{}", tenant, environment, fingerprint(filter));
}

}  // namespace

ExecutionsService::ExecutionsService(clickhouse::Client& engine, ReadableOf readable_of, Clock clock,
                                     ExecutionsOptions options)
    : store_(engine), readable_of_(std::move(readable_of)), clock_(std::move(clock)), options_(std::move(options)) {}

ReadScope ExecutionsService::scope_of(const ReadableEnvironment& readable, Instant from, Instant to,
                                      Instant now) const {
  // What the retention allows goes on with the time, also from page to page.
  const auto oldest = std::max(clock_() - readable.kept, Instant{});
  return {.tenant = options_.tenant,
          .environment = readable.data_name,
          .from = std::clamp(oldest, from, std::max(from, to)),
          .to = to,
          .oldest = oldest,
          .as_of = now + kAhead,
          .stale_before = now - options_.stale_after};
}

// What the first page fixes for all that follow.
async::Task<Expected<Cursor>> ExecutionsService::first_page(const ReadScope& scope, const ExecutionFilter& filter) {
  Cursor cursor;
  cursor.now = clock_();
  cursor.from = scope.from;
  cursor.to = scope.to;
  auto newest = co_await store_.newest_arrival(scope);
  if (!newest) co_return std::unexpected(std::move(newest.error()));
  cursor.as_of = newest->value_or(cursor.now);
  auto counted_scope = scope;
  counted_scope.as_of = cursor.as_of;
  auto counted = co_await store_.count(std::move(counted_scope), filter, kCountedUpTo + 1);
  if (!counted) co_return std::unexpected(std::move(counted.error()));
  cursor.total = std::min(*counted, kCountedUpTo);
  cursor.total_is_lower_bound = *counted > kCountedUpTo;
  co_return cursor;
}

async::Task<Expected<ExecutionPage>> ExecutionsService::search(std::string environment, ExecutionFilter filter,
                                                               std::string cursor_text) {
  auto readable = co_await readable_of_(environment);
  if (!readable) co_return std::unexpected(std::move(readable.error()));
  const auto cursor_belongs_to = cursor_scope(options_.tenant, readable->data_name, filter);
  auto settled = settle(filter, clock_());
  if (!settled) co_return std::unexpected(std::move(settled.error()));

  Cursor cursor;
  std::optional<PageKey> after;
  if (cursor_text.empty()) {
    auto first = co_await first_page(scope_of(*readable, *filter.from, *filter.to, clock_()), filter);
    if (!first) co_return std::unexpected(std::move(first.error()));
    cursor = *std::move(first);
  } else {
    auto opened = open_cursor(cursor_text, cursor_belongs_to, options_.cursor_key);
    if (!opened) co_return std::unexpected(std::move(opened.error()));
    cursor = *std::move(opened);
    after = PageKey{cursor.last_start, cursor.last_execution_id};
  }

  auto scope = scope_of(*readable, cursor.from, cursor.to, cursor.now);
  scope.as_of = cursor.as_of;
  auto rows = co_await store_.page(std::move(scope), filter, std::move(after), filter.limit + 1);
  if (!rows) co_return std::unexpected(std::move(rows.error()));

  ExecutionPage page{.items = std::move(*rows),
                     .next_cursor = {},
                     .total = cursor.total,
                     .total_is_lower_bound = cursor.total_is_lower_bound,
                     .as_of = cursor.as_of,
                     .from = cursor.from,
                     .to = cursor.to};
  for (auto& row : page.items) row.environment = environment;
  if (page.items.size() > filter.limit) {
    page.items.resize(filter.limit);
    cursor.last_start = page.items.back().execution.start_time;
    cursor.last_execution_id = page.items.back().execution.execution_id;
    page.next_cursor = seal_cursor(cursor, cursor_belongs_to, options_.cursor_key);
  }
  co_return page;
}

async::Task<Expected<ExecutionDetail>> ExecutionsService::find(std::string environment, std::string execution_id,
                                                               std::optional<Instant> at) {
  auto readable = co_await readable_of_(environment);
  if (!readable) co_return std::unexpected(std::move(readable.error()));
  const auto now = clock_();
  const auto always = scope_of(*readable, Instant{}, now + kAhead, now);
  Expected<std::optional<ExecutionRow>> found{std::nullopt};
  if (at) {
    auto scope = always;
    scope.from = *at;
    scope.to = *at + std::chrono::milliseconds(1);
    found = co_await store_.find(std::move(scope), execution_id);
  }
  if (found && !*found) found = co_await store_.find(always, execution_id);
  if (!found) co_return std::unexpected(std::move(found.error()));
  if (!*found) co_return fail(ErrorCode::execution_not_found, "There is no execution of this id in the environment.");

  ExecutionDetail detail{.row = *std::move(*found), .correlated = {}};
  const auto& execution = detail.row.execution;
  if (!execution.correlation_id.empty()) {
    const auto from = std::max(execution.start_time - kCorrelatedSpan, Instant{});
    auto scope = scope_of(*readable, from, execution.start_time + kCorrelatedSpan, now);
    auto others =
        co_await store_.correlated(std::move(scope), execution.correlation_id, execution.execution_id, kCorrelated);
    if (!others) co_return std::unexpected(std::move(others.error()));
    detail.correlated = std::move(*others);
  }
  detail.row.environment = environment;
  for (auto& row : detail.correlated) row.environment = environment;
  co_return detail;
}

}  // namespace cameleer::server
