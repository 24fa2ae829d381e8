#include "server/retention/retention_service.hpp"

#include <algorithm>

namespace cameleer::server {
namespace {

using namespace std::chrono_literals;

constexpr auto kLook = 2s;   // others' changes: within 5 s
constexpr auto kTurn = 60s;  // whoever took it and died is replaced after so long
constexpr auto kCheck = 10min;
constexpr std::chrono::milliseconds kSoonest = 2s, kLatest = 5min;

}  // namespace

RetentionService::RetentionService(async::Executor executor, postgres::Pool& pool, clickhouse::Client& engine,
                                   const RetentionPolicy& policy, Clock clock, std::chrono::days delay)
    : store_(pool), tables_(engine), policy_(policy), clock_(std::move(clock)), delay_(delay), pause_(executor) {}

bool RetentionService::is_due(const RetentionPlan& plan) const {
  if (!plan.changes.empty()) return true;
  const auto now = clock_();
  if (refused_since_ && now < retry_at_) return false;
  return applied_ != plan.clauses || now >= next_check_;
}

async::Task<Expected<void>> RetentionService::tick() {
  auto environments = co_await store_.read();
  if (!environments) co_return std::unexpected(environments.error());
  auto plan = plan_retention(*environments, policy_, clock_(), delay_);
  figures_.waiting = plan.waiting;
  const bool due = is_due(plan);
  clauses_ = std::move(plan.clauses);
  if (!due) co_return Expected<void>{};
  const auto now = clock_();
  auto taken = co_await store_.take_turn(now, now + kTurn);
  if (!taken) co_return std::unexpected(taken.error());
  if (!*taken) co_return Expected<void>{};
  auto worked = co_await work();
  auto ended = co_await store_.end_turn(now + kTurn);
  co_return worked ? ended : worked;
}

async::Task<Expected<void>> RetentionService::work() {
  // What was read before the turn may be another's work by now.
  auto environments = co_await store_.read();
  if (!environments) co_return std::unexpected(environments.error());
  auto plan = plan_retention(*environments, policy_, clock_(), delay_);
  if (!plan.changes.empty()) {
    auto put = co_await store_.put(plan.changes);
    if (!put) co_return put;
  }
  figures_.waiting = plan.waiting;
  clauses_ = plan.clauses;
  if (is_due({.clauses = plan.clauses})) co_await bring_in_line(std::move(plan));
  co_return Expected<void>{};
}

async::Task<> RetentionService::bring_in_line(RetentionPlan plan) {
  auto began = clock_();
  auto present = co_await tables_.read();
  bool done = present.has_value();
  if (!present) note("", began, std::unexpected(std::move(present.error())));
  bool answers = done;
  for (std::size_t i = 0; answers && i < present->size(); ++i) {
    const auto& table = (*present)[i];
    const auto& wanted = plan.clauses[table.table.kind];
    if (wanted.empty() || wanted == table.clauses) continue;
    began = clock_();
    const auto changed = co_await tables_.change(table, wanted);
    note(table.table.name, began, changed);
    done = done && changed;
    // One table that is refused keeps no other waiting; an engine that is gone does.
    answers = changed || changed.error().code != 0;
  }
  if (!done) co_return;
  refused_since_.reset();
  refused_in_turn_ = 0;
  applied_ = std::move(plan.clauses);
  next_check_ = clock_() + kCheck;
}

void RetentionService::note(std::string_view table, Instant began, const clickhouse::Outcome<void>& outcome) {
  ++(outcome ? figures_.changes : figures_.refusals);
  const auto now = clock_();
  if (!outcome) {
    if (!refused_since_) refused_since_ = now;
    retry_at_ = now + std::min(kLatest, kSoonest * (1U << std::min(refused_in_turn_, 10U)));
    ++refused_in_turn_;
  }
  if (observer_) observer_({.table = table, .took = now - began, .refusal = outcome ? nullptr : &outcome.error()});
}

async::Task<> RetentionService::run() {
  for (;;) {
    // A failure is a database that is gone: readiness tells, the next turn tries again.
    (void)co_await tick();
    if (!std::exchange(told_, false)) {
      pause_.expires_after(kLook);
      (void)co_await pause_.async_wait(async::as_result);
      told_ = false;
    }
    if ((co_await async::asio::this_coro::cancellation_state).cancelled() != async::asio::cancellation_type::none) {
      co_return;
    }
  }
}

void RetentionService::look() {
  told_ = true;
  pause_.cancel();
}

std::optional<Instant> RetentionService::stored_since(TelemetryKind kind, std::string_view data_name) const {
  const auto found = clauses_[kind].find(std::string(data_name));
  if (found == clauses_[kind].end()) return std::nullopt;
  return clock_() - found->second;
}

std::optional<std::chrono::days> RetentionService::deleted_after(TelemetryKind kind, std::string_view data_name) const {
  if (!applied_) return std::nullopt;
  const auto found = (*applied_)[kind].find(std::string(data_name));
  if (found == (*applied_)[kind].end()) return std::nullopt;
  return found->second;
}

std::vector<HealthWarning> RetentionService::warnings() const {
  if (!refused_since_) return {};
  return {{.code = "retention_refused",
           .detail = "The store did not take a change of what it keeps and for how long; readers see it already, and "
                     "the change is tried again.",
           .since = refused_since_}};
}

}  // namespace cameleer::server
