#include "server/rollups/rollup_lease.hpp"

namespace cameleer::server {
namespace {

constexpr const char* kTake =
    "with taken as (update rollup_job set holder = $1, held_until = $3::timestamptz "
    "where holder = $1 or held_until <= $2::timestamptz returning taken_before, minutes_before), "
    "state as (select true as held, * from taken union all "
    "select false, taken_before, minutes_before from rollup_job where not exists (select from taken)) "
    "select held, floor(extract(epoch from taken_before) * 1000)::bigint, "
    "floor(extract(epoch from minutes_before) * 1000)::bigint from state";

constexpr const char* kMove =
    "update rollup_job set taken_before = $3::timestamptz, minutes_before = $4::timestamptz, "
    "held_until = $5::timestamptz where holder = $1 and held_until > $2::timestamptz";

}  // namespace

RollupLease::RollupLease(postgres::Pool& pool, Clock clock, std::string holder, std::chrono::milliseconds time)
    : pool_(pool), clock_(std::move(clock)), holder_(std::move(holder)), time_(time) {}

async::Task<Expected<RollupLease::State>> RollupLease::take() {
  const auto now = clock_();
  auto result = co_await pool_.query(kTake, {holder_, format_instant(now), format_instant(now + time_)});
  if (!result) co_return std::unexpected(result.error().for_caller());
  State state{.held = result->boolean(0, 0), .position = {}};
  if (!result->is_null(0, 1)) {
    state.position = RollupPosition{.taken_before = instant_of(result->integer(0, 1)),
                                    .minutes_before = instant_of(result->integer(0, 2))};
  }
  if (state.held) renewed_at_ = now;
  co_return state;
}

async::Task<Expected<bool>> RollupLease::move(RollupPosition position) {
  const auto now = clock_();
  auto result = co_await pool_.query(kMove, {holder_, format_instant(now), format_instant(position.taken_before),
                                             format_instant(position.minutes_before), format_instant(now + time_)});
  if (!result) co_return std::unexpected(result.error().for_caller());
  if (result->affected() == 0) co_return false;
  renewed_at_ = now;
  co_return true;
}

async::Task<Expected<void>> RollupLease::release() {
  auto result = co_await pool_.query("update rollup_job set held_until = to_timestamp(0) where holder = $1", {holder_});
  if (!result) co_return std::unexpected(result.error().for_caller());
  co_return Expected<void>{};
}

}  // namespace cameleer::server
