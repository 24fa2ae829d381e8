#include "connection.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "database_error.hpp"

namespace cameleer::postgres {
namespace {

constexpr std::size_t kPreparedStatements = 256;
constexpr auto kSlow = std::chrono::milliseconds(50);

std::vector<const char*> values_of(const Parameters& parameters) {
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const auto& parameter : parameters) {
    values.push_back(parameter.text() ? parameter.text()->c_str() : nullptr);
  }
  return values;
}

}  // namespace

Connection::Connection(async::Executor executor, const PoolOptions& options)
    : options_(options), descriptor_(executor), watchdog_(executor), cache_(kPreparedStatements) {}

Connection::~Connection() {
  reset();
}

void Connection::reset() {
  auto now = std::chrono::steady_clock::now();
  for (auto& statement : std::exchange(in_flight_, {})) {
    bool failed = statement->outcome && !statement->outcome->has_value();
    // A success without its sync is none: the commit comes with the sync.
    if (!failed) {
      statement->outcome.emplace(
          std::unexpected(statement->deadline <= now ? past_deadline() : lost_connection(reason_)));
    }
    finished_.push_back(std::move(statement));
  }
  if (descriptor_.is_open()) descriptor_.release();
  PQfinish(std::exchange(connection_, nullptr));
  cache_.clear();
  ++life_;
  pipeline_ = ready_ = ending_ = writing_ = leased_ = false;
  lease_deadline_.reset();
  reason_.clear();
}

void Connection::end(std::string reason) {
  if (ending_) return;
  ending_ = true;
  reason_ = std::move(reason);
  stop_resolving();
  boost::system::error_code ignored;
  if (descriptor_.is_open()) descriptor_.cancel(ignored);
}

void Connection::expire(Instant now) {
  bool late = lease_deadline_ && *lease_deadline_ <= now;
  for (const auto& statement : in_flight_) {
    // Those of a lease that took too long are late with it.
    if (late) statement->deadline = std::min(statement->deadline, now);
  }
  late = late || std::any_of(in_flight_.begin(), in_flight_.end(),
                             [now](const auto& statement) { return statement->deadline <= now; });
  if (late) end("a statement was not answered in time");
}

std::vector<StatementPtr> Connection::abandon() {
  std::vector<StatementPtr> all = take_finished();
  for (auto& statement : std::exchange(in_flight_, {})) all.push_back(std::move(statement));
  return all;
}

void Connection::lease(const std::shared_ptr<Lease>& lease) {
  leased_ = true;
  lease->connection = shared_from_this();
  lease->life = life_;
  lease_deadline_.reset();
  if (lease->time) lease_deadline_ = std::chrono::steady_clock::now() + *lease->time;
}

void Connection::leave_pipeline() {
  if (PQexitPipelineMode(connection_) == 0) throw std::logic_error("left pipeline mode with statements in flight");
  pipeline_ = false;
}

bool Connection::in_transaction() const {
  return PQtransactionStatus(connection_) != PQTRANS_IDLE;
}

bool Connection::stalled(Instant now) const {
  return !in_flight_.empty() && now - front_since_ > kSlow;
}

void Connection::send(StatementPtr statement) {
  if (in_flight_.empty()) front_since_ = std::chrono::steady_clock::now();
  auto& sent = *in_flight_.emplace_back(std::move(statement));
  bool accepted = false;
  if (pipeline_) {
    accepted = send_in_pipeline(sent) && PQpipelineSync(connection_) != 0;
  } else if (sent.parameters.empty()) {
    accepted = PQsendQuery(connection_, sent.sql.c_str()) != 0;
  } else {
    auto values = values_of(sent.parameters);
    accepted = PQsendQueryParams(connection_, sent.sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                                 nullptr, nullptr, 0) != 0;
  }
  if (accepted) {
    flush();
  } else {
    end(words_of_libpq());
  }
}

bool Connection::send_in_pipeline(Statement& statement) {
  auto values = values_of(statement.parameters);
  auto count = static_cast<int>(values.size());
  auto found = cache_.find(statement.sql);
  if (found.state == StatementCache::State::confirmed) {
    statement.sent = Statement::Sent::by_name;
    return PQsendQueryPrepared(connection_, found.name.c_str(), count, values.data(), nullptr, nullptr, 0) != 0;
  }
  if (found.state == StatementCache::State::unconfirmed) {
    statement.sent = Statement::Sent::as_text;
    return PQsendQueryParams(connection_, statement.sql.c_str(), count, nullptr, values.data(), nullptr, nullptr, 0) !=
           0;
  }
  return send_prepared(statement, values);
}

bool Connection::send_prepared(Statement& statement, const std::vector<const char*>& values) {
  statement.sent = Statement::Sent::prepared_with;
  // A failed transaction refuses DEALLOCATE too, which would hide the statement's own outcome: never inside a lease.
  auto evicted = leased_ ? std::vector<std::string>() : cache_.evict();
  for (const auto& name : evicted) {
    if (PQsendQueryParams(connection_, ("deallocate " + name).c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) == 0) {
      return false;
    }
  }
  statement.prepare_at = evicted.size();
  std::string name = cache_.add(statement.sql);
  return PQsendPrepare(connection_, name.c_str(), statement.sql.c_str(), 0, nullptr) != 0 &&
         PQsendQueryPrepared(connection_, name.c_str(), static_cast<int>(values.size()), values.data(), nullptr,
                             nullptr, 0) != 0;
}

void Connection::flush() {
  int left = PQflush(connection_);
  if (left < 0) end(words_of_libpq());
  if (left <= 0 || writing_) return;
  writing_ = true;
  asio::co_spawn(descriptor_.get_executor(), write(shared_from_this(), life_), asio::detached);
}

async::Task<> Connection::write(std::shared_ptr<Connection> self, std::uint64_t life) {
  while (self->life_ == life && self->writing_) {
    bool writable = co_await self->wait(Descriptor::wait_write);
    // After a reset the members belong to the next incarnation.
    if (self->life_ != life) co_return;
    int left = writable ? PQflush(self->connection_) : -1;
    if (left < 0) self->end(self->words_of_libpq());
    if (left <= 0) self->writing_ = false;
  }
}

async::Task<bool> Connection::receive() {
  if (!co_await wait(Descriptor::wait_read)) {
    if (!ending_) end("the socket failed");
    co_return false;
  }
  if (PQconsumeInput(connection_) == 0) {
    end(words_of_libpq());
    co_return false;
  }
  take_results();
  // What the server asks for while the pipeline is full (a window that opened) is written here.
  if (!ending_) flush();
  co_return !ending_;
}

void Connection::take_results() {
  std::size_t nothing = 0;
  while (!in_flight_.empty() && !ending_ && PQisBusy(connection_) == 0) {
    PGresult* result = PQgetResult(connection_);
    if (result != nullptr) {
      nothing = 0;
      take_result(result);
    } else if (!pipeline_) {
      finish_front();
    } else {
      ++in_flight_.front()->commands_done;
      // One end per command; more of them in a row mean that libpq and we disagree about what is in flight.
      if (++nothing > 2) end("libpq lost count of the statements in flight");
    }
  }
}

void Connection::take_result(PGresult* raw) {
  Result result(raw);
  Statement& statement = *in_flight_.front();
  bool is_prepare = statement.sent == Statement::Sent::prepared_with && statement.commands_done <= statement.prepare_at;
  switch (PQresultStatus(raw)) {
    case PGRES_PIPELINE_SYNC:
      return finish_front();
    case PGRES_PIPELINE_ABORTED:
      return;
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
      if (is_prepare) {
        if (statement.commands_done == statement.prepare_at) cache_.confirm(statement.sql);
      } else if (statement.role == Statement::Role::ends && statement.sql == "commit" &&
                 std::string_view(PQcmdStatus(raw)) == "ROLLBACK") {
        // The server's answer to COMMIT after a failed statement is a success that did not commit.
        statement.outcome.emplace(std::unexpected(error_of(raw)));
        statement.outcome->error() = {.error = {ErrorCode::internal, "The transaction was rolled back."},
                                      .sqlstate = "25P02",
                                      .server_text = "commit of a transaction with a failed statement"};
      } else if (!statement.outcome || statement.outcome->has_value()) {
        statement.outcome.emplace(std::move(result));
      }
      return;
    case PGRES_BAD_RESPONSE:
    case PGRES_NONFATAL_ERROR:
    case PGRES_FATAL_ERROR:
      if (is_prepare) cache_.remove(statement.sql);
      return take_error(statement, raw);
    default:
      statement.outcome.emplace(
          std::unexpected(DatabaseError{.error = {ErrorCode::internal, "The database refused a statement."},
                                        .server_text = "COPY is not supported"}));
      end("COPY was started");
  }
}

void Connection::take_error(Statement& statement, const PGresult* result) {
  if (statement.outcome && !statement.outcome->has_value()) return;
  auto error = error_of(result);
  if (statement.sent == Statement::Sent::by_name && (error.sqlstate == "0A000" || error.sqlstate == "26000")) {
    // The table changed under the plan, or something deallocated it: the next one prepares anew.
    cache_.remove(statement.sql);
    statement.stale_plan = true;
  }
  statement.outcome.emplace(std::unexpected(std::move(error)));
}

void Connection::finish_front() {
  auto statement = std::move(in_flight_.front());
  in_flight_.pop_front();
  front_since_ = std::chrono::steady_clock::now();
  if (!statement->outcome) {
    statement->outcome.emplace(std::unexpected(lost_connection("the server answered without a result")));
  }
  finished_.push_back(std::move(statement));
}

}  // namespace cameleer::postgres
