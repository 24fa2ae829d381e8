#include "server/rollups/rollup_service.hpp"

#include <algorithm>

namespace cameleer::server {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kTurn = 10s, kShortestTurn = 500ms;
constexpr std::chrono::milliseconds kFirstRetry = 5s, kLastRetry = 60s;
constexpr std::chrono::hours kMostArrivals{1};  // that one step looks at: a job that was away goes on by such steps
constexpr std::size_t kPage = 1'000;
constexpr std::chrono::minutes kNeighbours{2};  // a gap that costs less than a statement of its own

bool is_cancelled(async::asio::cancellation_state state) {
  return state.cancelled() != async::asio::cancellation_type::none;
}

}  // namespace

RollupService::RollupService(postgres::Pool& pool, clickhouse::Client& engine, Clock clock, KeptSince kept_since,
                             RollupOptions options)
    : store_(engine, options.tenant),
      clock_(clock),
      kept_since_(std::move(kept_since)),
      options_(std::move(options)),
      lease_(pool, std::move(clock), options_.holder, options_.lease),
      batch_(options_.batch) {}

// Before the first step all is said of no minute at all, which is true of any arrivals.
async::Task<Expected<RollupPosition>> RollupService::beginning(Instant taken_before) {
  auto oldest = co_await store_.oldest();
  if (!oldest) co_return std::unexpected(std::move(oldest.error()));
  // Not from the future on, where an agent's clock may be.
  const auto from = std::min(oldest->value_or(taken_before), taken_before - std::chrono::minutes(1));
  co_return RollupPosition{.taken_before = taken_before, .minutes_before = minute_of(from)};
}

RollupPosition RollupService::aim(const RollupPosition& from, Instant now) const {
  const auto taken = std::clamp(now - options_.delay, from.taken_before, from.taken_before + kMostArrivals);
  // Arrivals after `taken` would have their minutes computed once more.
  const auto newest = minute_of(std::min(taken, now - std::chrono::minutes(1)));
  return {.taken_before = taken,
          .minutes_before = std::clamp(newest, from.minutes_before, from.minutes_before + options_.stretch)};
}

async::Task<Expected<RollupService::Step>> RollupService::take_step() {
  auto state = co_await lease_.take();
  if (!state) co_return std::unexpected(std::move(state.error()));
  if (state->position) position_ = state->position;
  figures_.holds = state->held;
  if (!state->held) co_return Step::others;

  auto now = co_await store_.now();
  if (!now) co_return std::unexpected(std::move(now.error()));
  if (!state->position) {
    auto first = co_await beginning(*now - options_.delay);
    if (!first) co_return std::unexpected(std::move(first.error()));
    state->position = *first;
  }
  const auto to = aim(*state->position, *now);
  for (const auto kind : kRollupKinds) {
    auto rolled = co_await roll(kind, {.from = *state->position, .to = to});
    if (!rolled) co_return std::unexpected(std::move(rolled.error()));
  }
  auto moved = co_await lease_.move(to);
  if (!moved) co_return std::unexpected(std::move(moved.error()));
  figures_.holds = *moved;
  if (!*moved) co_return Step::others;
  position_ = to;
  const auto rest = aim(to, *now);
  co_return rest == to ? Step::done : Step::more;
}

async::Task<Expected<void>> RollupService::roll(RollupKind kind, RollupStore::Span span) {
  RollupStore::Minute after{};
  for (;;) {
    auto page = co_await store_.due(kind, span, after, kPage);
    if (!page) co_return std::unexpected(std::move(page.error()));
    if (page->empty()) co_return Expected<void>{};
    after = page->back();
    for (std::size_t i = 0; i < page->size();) {
      const auto environment = (*page)[i].environment;
      const auto kept_since = kept_since_(environment);
      std::vector<Instant> minutes;
      for (; i < page->size() && (*page)[i].environment == environment; ++i) {
        if ((*page)[i].minute >= kept_since) minutes.push_back((*page)[i].minute);
      }
      auto rolled = co_await roll(kind, environment, std::move(minutes));
      if (!rolled) co_return rolled;
    }
    if (page->size() < kPage) co_return Expected<void>{};
  }
}

async::Task<Expected<void>> RollupService::roll(RollupKind kind, std::string environment,
                                                std::vector<Instant> minutes) {
  const auto executor = co_await async::asio::this_coro::executor;
  for (const auto& range : ranges_over(minutes, kNeighbours, batch_)) {
    if (stopping_) co_return fail(ErrorCode::unavailable, "The server is stopping.");
    if (lease_.wants_renewal()) {
      auto state = co_await lease_.take();
      if (!state) co_return std::unexpected(std::move(state.error()));
      if (!(figures_.holds = state->held)) co_return fail(ErrorCode::unavailable, "Another process rolls up now.");
    }
    const auto begun = std::chrono::steady_clock::now();
    replacing_ = true;
    auto replaced = co_await store_.replace(kind, environment, range);
    replacing_ = false;
    if (!replaced) {
      // It may have been too much for one statement.
      batch_ = std::max(batch_ / 2, std::chrono::minutes(1));
      co_return replaced;
    }
    batch_ = std::min(batch_ + std::chrono::minutes(1), options_.batch);
    figures_.minutes[static_cast<std::size_t>(kind)] += static_cast<std::uint64_t>((range.to - range.from) / 1min);
    if (options_.rests) co_await async::sleep_for(executor, std::chrono::steady_clock::now() - begun);
  }
  co_return Expected<void>{};
}

async::Task<Expected<RollupService::Step>> RollupService::step() {
  auto step = co_await take_step();
  if (!step && !stopping_) ++figures_.failures;
  co_return step;
}

async::Task<> RollupService::run() {
  const auto executor = co_await async::asio::this_coro::executor;
  const auto turn = std::clamp<std::chrono::milliseconds>(options_.delay / 2, kShortestTurn, kTurn);
  std::chrono::milliseconds retry{0};
  while (!stopping_) {
    const auto step = co_await this->step();
    // A failure is a store that is gone or busy: readiness tells, a later turn tries again.
    retry = step ? std::chrono::milliseconds(0) : std::clamp(retry * 2, kFirstRetry, kLastRetry);
    if (!step || *step != Step::more) co_await async::sleep_for(executor, step ? turn : retry);
    if (is_cancelled(co_await async::asio::this_coro::cancellation_state)) co_return;
  }
}

async::Task<> RollupService::stop() {
  stopping_ = true;
  // A statement goes on in the store: nobody is to compute the same minutes beside it.
  if (figures_.holds && !replacing_) (void)co_await lease_.release();
}

RollupService::Figures RollupService::figures() const {
  auto figures = figures_;
  if (position_) {
    const auto now = clock_();
    figures.minutes_lag = std::max(now - position_->minutes_before, std::chrono::milliseconds(0));
    figures.arrivals_lag = std::max(now - position_->taken_before, std::chrono::milliseconds(0));
  }
  return figures;
}

}  // namespace cameleer::server
