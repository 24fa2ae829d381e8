#include "pool_core.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>

#include "database_error.hpp"

namespace cameleer::postgres {
namespace {

using namespace std::chrono_literals;

constexpr auto kFirstPause = 100ms;
constexpr auto kLongestPause = 2'000ms;
/// Enough for the throughput of a full pipeline; more would only share one connection's fate.
constexpr std::size_t kPipelineDepth = 64;
constexpr std::size_t kMaxParameters = 65'535;  // a 16-bit count in the protocol

void rethrow(std::exception_ptr error) {
  if (error) std::rethrow_exception(error);
}

bool holds_nul(const Statement& statement) {
  auto nul = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  return nul(statement.sql) || std::any_of(statement.parameters.begin(), statement.parameters.end(),
                                           [&](const Parameter& value) { return value.text() && nul(*value.text()); });
}

}  // namespace

PoolCore::PoolCore(async::Executor executor, PoolOptions options)
    : executor_(executor), options_(std::move(options)), tick_(executor), gone_(executor), force_(executor) {
  for (std::size_t index = 0; index < std::max<std::size_t>(1, options_.connections); ++index) {
    connections_.push_back(std::make_shared<Connection>(executor_, options_));
    pauses_.push_back(std::make_unique<async::SteadyTimer>(executor_));
  }
  gone_.expires_at(Instant::max());
}

void PoolCore::start() {
  running_ = connections_.size();
  for (std::size_t index = 0; index < connections_.size(); ++index) {
    asio::co_spawn(executor_, keep_connected(shared_from_this(), index), rethrow);
  }
  asio::co_spawn(executor_, sweep(shared_from_this(), AbandonAtEnd(this)), rethrow);
}

async::Task<> PoolCore::keep_connected(std::shared_ptr<PoolCore> self, std::size_t index) {
  auto connection = self->connections_[index];
  auto pause = std::chrono::milliseconds(kFirstPause);
  while (!self->closing_) {
    auto connected = co_await connection->connect();
    if (connected) {
      self->note("connected to the database");
      pause = kFirstPause;
      co_await serve(self, connection);
      if (!self->closing_) self->note("lost a database connection: " + connection->reason());
    } else {
      self->last_failure_ = connected.error();
      self->note("cannot connect to the database: " + connected.error());
    }
    connection->reset();
    self->deliver(*connection);
    self->dispatch();
    if (self->closing_) break;
    self->pauses_[index]->expires_after(pause);
    co_await self->pauses_[index]->async_wait(async::as_result);
    pause = std::min<std::chrono::milliseconds>(2 * pause, kLongestPause);
  }
  if (--self->running_ > 0) co_return;
  self->gone_.cancel();
  self->force_.cancel();
  self->tick_.cancel();
}

async::Task<> PoolCore::serve(std::shared_ptr<PoolCore> self, std::shared_ptr<Connection> connection) {
  self->dispatch();
  if (self->closing_) self->end_idle();
  bool more = true;
  while (more) {
    more = co_await connection->receive();
    self->deliver(*connection);
    self->dispatch();
    if (self->closing_) self->end_idle();
  }
}

async::Task<> PoolCore::sweep(std::shared_ptr<PoolCore> self, AbandonAtEnd at_end) {
  (void)at_end;  // lives as long as this frame, also when the io_context ends first
  auto tick = std::clamp<std::chrono::milliseconds>(self->options_.statement_time / 20, 5ms, 100ms);
  while (self->running_ > 0) {
    self->ticking_ = self->unanswered_ > 0 || self->leases() > 0;
    self->tick_.expires_after(self->ticking_ ? tick : std::chrono::milliseconds(1h));
    co_await self->tick_.async_wait(async::as_result);
    self->expire(std::chrono::steady_clock::now());
  }
}

std::optional<DatabaseError> PoolCore::refusal(const Statement& statement) const {
  // Open transactions may end; none begins.
  if (closing_ && (!statement.lease || statement.role == Statement::Role::begins)) return closed_pool();
  if (statement.counted && unanswered_ >= options_.max_waiting) return full_pool();
  if (holds_nul(statement)) {
    return DatabaseError{.error = {ErrorCode::invalid_parameter, "A value holds a NUL byte, which text cannot hold."}};
  }
  if (statement.parameters.size() > kMaxParameters) {
    return DatabaseError{.error = {ErrorCode::internal, "The database refused a statement."},
                         .server_text = "too many parameters"};
  }
  if (statement.lease && statement.role != Statement::Role::begins) {
    auto& connection = statement.lease->connection;
    if (!connection || !connection->holds(*statement.lease)) {
      return lost_connection("the connection of this transaction is gone");
    }
  }
  return std::nullopt;
}

async::Task<Outcome<Result>> PoolCore::run(std::shared_ptr<PoolCore> self, StatementPtr statement) {
  if (auto error = self->refusal(*statement)) co_return std::unexpected(std::move(*error));
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<async::Executor>, void(Outcome<Result>)>(
      [](auto handler, PoolCore* core, StatementPtr one) {
        one->done = std::move(handler);
        core->submit(std::move(one));
      },
      async::use_task, self.get(), std::move(statement));
}

void PoolCore::submit(StatementPtr statement) {
  if (statement->counted) ++unanswered_;
  if (!ticking_) tick_.cancel();
  if (statement->role == Statement::Role::begins) {
    waiting_leases_.push_back(std::move(statement));
  } else if (statement->lease) {
    auto connection = statement->lease->connection;
    connection->send(std::move(statement));
    return;
  } else {
    waiting_.push_back(std::move(statement));
  }
  dispatch();
}

std::size_t PoolCore::leases() const {
  return static_cast<std::size_t>(
      std::count_if(connections_.begin(), connections_.end(), [](const auto& one) { return one->leased(); }));
}

std::shared_ptr<Connection> PoolCore::least_busy(std::size_t bound) const {
  std::shared_ptr<Connection> best;
  auto now = std::chrono::steady_clock::now();
  for (const auto& one : connections_) {
    if (!one->ready() || one->leased() || one->in_flight() >= bound || one->stalled(now)) continue;
    if (!best || one->in_flight() < best->in_flight()) best = one;
  }
  return best;
}

void PoolCore::dispatch() {
  std::size_t most_leases = std::max<std::size_t>(2, connections_.size()) - 1;
  while (!waiting_leases_.empty() && leases() < most_leases) {
    auto connection = least_busy(kPipelineDepth);
    if (!connection) break;
    auto statement = std::move(waiting_leases_.front());
    waiting_leases_.pop_front();
    connection->lease(statement->lease);
    connection->send(std::move(statement));
  }
  while (!waiting_.empty()) {
    auto connection = least_busy(kPipelineDepth);
    if (!connection) break;
    auto statement = std::move(waiting_.front());
    waiting_.pop_front();
    connection->send(std::move(statement));
  }
}

void PoolCore::deliver(Connection& connection) {
  for (auto& statement : connection.take_finished()) {
    settle_lease(connection, *statement);
    if (statement->stale_plan && !statement->lease && !statement->sent_again && !closing_) {
      // The server refused it before it ran, and nothing else shares its transaction.
      statement->sent_again = true;
      statement->stale_plan = false;
      statement->commands_done = statement->prepare_at = 0;
      statement->outcome.reset();
      waiting_.push_front(std::move(statement));
      continue;
    }
    auto outcome = std::move(*statement->outcome);
    answer(std::move(statement), std::move(outcome));
  }
}

void PoolCore::settle_lease(Connection& connection, const Statement& statement) {
  if (!statement.lease || !connection.holds(*statement.lease)) return;
  bool failed = !statement.outcome->has_value();
  if (statement.role == Statement::Role::ends || (statement.role == Statement::Role::begins && failed)) {
    connection.give_back();
  }
}

void PoolCore::answer(StatementPtr statement, Outcome<Result> outcome) {
  if (statement->counted) --unanswered_;
  auto done = std::move(statement->done);
  statement.reset();
  if (done) done(std::move(outcome));
}

void PoolCore::fail_waiting(const DatabaseError& error) {
  auto plain = std::exchange(waiting_, {});
  auto leases = std::exchange(waiting_leases_, {});
  for (auto& statement : plain) answer(std::move(statement), std::unexpected(error));
  for (auto& statement : leases) answer(std::move(statement), std::unexpected(error));
}

void PoolCore::expire(Instant now) {
  for (auto& connection : connections_) {
    if (connection->ready()) connection->expire(now);
  }
  bool connected = std::any_of(connections_.begin(), connections_.end(), [](const auto& one) { return one->ready(); });
  auto error = connected ? past_deadline() : no_connection(last_failure_);
  std::vector<StatementPtr> late;
  for (auto* queue : {&waiting_, &waiting_leases_}) {
    for (auto& statement : *queue) {
      if (statement->deadline <= now) late.push_back(std::move(statement));
    }
    std::erase(*queue, nullptr);
  }
  for (auto& statement : late) answer(std::move(statement), std::unexpected(error));
}

void PoolCore::finish(const std::shared_ptr<Lease>& lease, std::string sql) {
  if (abandoned_ || !lease->connection || !lease->connection->holds(*lease)) return;
  auto statement = std::make_unique<Statement>();
  statement->sql = std::move(sql);
  statement->deadline = std::chrono::steady_clock::now() + options_.statement_time;
  statement->role = Statement::Role::ends;
  statement->lease = lease;
  statement->counted = false;
  submit(std::move(statement));
}

void PoolCore::discard(const std::shared_ptr<Lease>& lease) {
  if (abandoned_ || !lease->connection || !lease->connection->holds(*lease)) return;
  lease->connection->end("its work is done");
}

void PoolCore::end_idle() {
  for (auto& connection : connections_) {
    if (!connection->leased() && connection->in_flight() == 0) connection->end("the pool is closing");
  }
}

void PoolCore::stop() {
  closing_ = true;
  for (auto& pause : pauses_) pause->cancel();
  for (auto& connection : connections_) connection->end("the pool is closing");
  fail_waiting(closed_pool());
}

async::Task<> PoolCore::close(std::shared_ptr<PoolCore> self) {
  if (!self->closing_) {
    self->closing_ = true;
    self->force_.expires_after(std::min<std::chrono::milliseconds>(self->options_.statement_time, 5'000ms));
    self->force_.async_wait([weak = self->weak_from_this()](const boost::system::error_code& error) {
      if (auto core = weak.lock(); core && !error) core->stop();
    });
    for (auto& pause : self->pauses_) pause->cancel();
    for (auto& connection : self->connections_) {
      if (!connection->ready()) connection->end("the pool is closing");
    }
    self->end_idle();
    self->fail_waiting(closed_pool());
  }
  while (self->running_ > 0) co_await self->gone_.async_wait(async::as_result);
}

void PoolCore::abandon() {
  abandoned_ = closing_ = true;
  std::vector<StatementPtr> all;
  for (auto* queue : {&waiting_, &waiting_leases_}) {
    std::move(queue->begin(), queue->end(), std::back_inserter(all));
    queue->clear();
  }
  for (auto& connection : connections_) {
    auto some = connection->abandon();
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
}

void PoolCore::note(std::string_view text) const {
  if (options_.notice) options_.notice(text);
}

}  // namespace cameleer::postgres
