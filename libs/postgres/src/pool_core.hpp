#pragma once
#include <cameleer/postgres/pool.hpp>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "connection.hpp"
#include "statement.hpp"

namespace cameleer::postgres {

/// What Pool, its transactions and the coroutines of its connections share. Statements wait here until a connection
/// takes them; a connection that is lost gives none back, for those may have run.
class PoolCore : public std::enable_shared_from_this<PoolCore> {
 public:
  PoolCore(async::Executor executor, PoolOptions options);

  void start();
  /// Ends everything without waiting.
  void stop();
  static async::Task<> close(std::shared_ptr<PoolCore> self);

  static async::Task<Outcome<Result>> run(std::shared_ptr<PoolCore> self, StatementPtr statement);
  /// Gives a lease back by a statement (ROLLBACK) in the background.
  void finish(const std::shared_ptr<Lease>& lease, std::string sql);
  /// Ends the leased connection, whatever state it is in; the pool makes a new one.
  void discard(const std::shared_ptr<Lease>& lease);
  [[nodiscard]] const PoolOptions& options() const { return options_; }

 private:
  struct Abandon {
    void operator()(PoolCore* core) const { core->abandon(); }
  };
  using AbandonAtEnd = std::unique_ptr<PoolCore, Abandon>;

  static async::Task<> keep_connected(std::shared_ptr<PoolCore> self, std::size_t index);
  static async::Task<> serve(std::shared_ptr<PoolCore> self, std::shared_ptr<Connection> connection);
  static async::Task<> sweep(std::shared_ptr<PoolCore> self, AbandonAtEnd at_end);

  std::optional<DatabaseError> refusal(const Statement& statement) const;
  void submit(StatementPtr statement);
  void dispatch();
  std::shared_ptr<Connection> least_busy(std::size_t bound) const;
  void deliver(Connection& connection);
  void settle_lease(Connection& connection, const Statement& statement);
  void answer(StatementPtr statement, Outcome<Result> outcome);
  void fail_waiting(const DatabaseError& error);
  void expire(Instant now);
  void end_idle();
  void abandon();
  void note(std::string_view text) const;
  [[nodiscard]] std::size_t leases() const;

  async::Executor executor_;
  PoolOptions options_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<async::SteadyTimer>> pauses_;  ///< between two attempts to connect
  std::deque<StatementPtr> waiting_;
  std::deque<StatementPtr> waiting_leases_;
  async::SteadyTimer tick_;
  async::SteadyTimer gone_;   ///< cancelled when the last connection's coroutine ends
  async::SteadyTimer force_;  ///< end of the patience of close()
  std::size_t unanswered_ = 0;
  std::size_t running_ = 0;
  bool ticking_ = false;
  bool closing_ = false;
  bool abandoned_ = false;
  std::string last_failure_;
};

}  // namespace cameleer::postgres
