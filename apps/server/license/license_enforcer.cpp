#include "server/license/license_enforcer.hpp"

#include "server/license/license_counts.hpp"
#include "server/license/license_json.hpp"

namespace cameleer::server {
namespace {

namespace json = boost::json;

/// `Connection`: a pool or a transaction.
template <class Connection>
async::Task<Expected<std::int64_t>> count(Connection& connection, LicenseLimit limit) {
  const auto statement = count_statement_of(limit);
  if (statement.empty()) co_return 0;
  auto counted = co_await connection.query(std::string(statement));
  if (!counted) co_return std::unexpected(counted.error().for_caller());
  co_return counted->integer(0, 0);
}

}  // namespace

async::Task<Expected<void>> LicenseEnforcer::take_turn(postgres::Transaction& transaction, LicenseLimit limit) {
  // The schema is the tenant's.
  postgres::Parameters parameters{name_of(limit)};
  auto locked = co_await transaction.query(
      "select pg_advisory_xact_lock(hashtextextended(current_schema() || ' licence ' || $1::text, 0))",
      std::move(parameters));
  if (!locked) co_return std::unexpected(locked.error().for_caller());
  co_return Expected<void>{};
}

async::Task<Expected<void>> LicenseEnforcer::check(postgres::Transaction& transaction, LicenseLimit limit,
                                                   AuditActor actor) {
  auto turn = co_await take_turn(transaction, limit);
  if (!turn) co_return turn;
  // A statement of its own: it sees what was committed while this one waited for its turn.
  auto current = co_await count(transaction, limit);
  if (!current) co_return std::unexpected(current.error());
  co_return judge(limit, *current, std::move(actor));
}

async::Task<Expected<void>> LicenseEnforcer::check_early(postgres::Pool& pool, LicenseLimit limit, AuditActor actor) {
  auto current = co_await count(pool, limit);
  if (!current) co_return std::unexpected(current.error());
  co_return judge(limit, *current, std::move(actor));
}

Expected<void> LicenseEnforcer::judge(LicenseLimit limit, std::int64_t current, AuditActor actor) {
  const auto standing = gate_.snapshot();
  const auto cap = standing->limits[limit];
  if (current < cap) return {};
  CapRefusal refusal{.limit = limit,
                     .current = current,
                     .cap = cap,
                     .state = standing->state,
                     .message = cap_message(*standing, limit, current, clock_())};
  auto message = refusal.message;
  refusals_.note(std::move(refusal), std::move(actor));
  return fail(ErrorCode::license_cap_exceeded, std::move(message), std::string(name_of(limit)));
}

async::Task<> LicenseEnforcer::run() {
  auto executor = co_await async::asio::this_coro::executor;
  for (;;) {
    co_await async::sleep_for(executor, std::chrono::seconds(1));
    if ((co_await async::asio::this_coro::cancellation_state).cancelled() != async::asio::cancellation_type::none) {
      co_return;
    }
    // A failure is a database that is gone: the next turn tries again.
    (void)co_await refusals_.write_counted();
  }
}

web::Response LicenseEnforcer::problem(const Error& error, std::string_view request_id) const {
  if (error.code != ErrorCode::license_cap_exceeded) return web::problem(error, request_id);
  const auto limit = license_limit_named(error.member);
  if (!limit || !refusals_.last(*limit)) return web::problem(error, request_id);
  const auto& refusal = *refusals_.last(*limit);
  json::object members;
  members["error"] = name_of(error.code);
  members["limit"] = name_of(refusal.limit);
  members["current"] = refusal.current;
  members["cap"] = refusal.cap;
  members["state"] = name_of(refusal.state);
  members["message"] = error.message;
  return problem_with(error, request_id, std::move(members));
}

web::Response problem_of(const LicenseEnforcer* caps, const Error& error, std::string_view request_id) {
  return caps == nullptr ? web::problem(error, request_id) : caps->problem(error, request_id);
}

}  // namespace cameleer::server
