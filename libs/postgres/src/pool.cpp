#include <cameleer/postgres/pool.hpp>

#include "database_error.hpp"
#include "pool_core.hpp"

namespace cameleer::postgres {
namespace {

StatementPtr make_statement(const PoolOptions& options, std::string sql, Parameters parameters,
                            std::shared_ptr<Lease> lease = {}, Statement::Role role = Statement::Role::single) {
  auto statement = std::make_unique<Statement>();
  statement->sql = std::move(sql);
  statement->parameters = std::move(parameters);
  statement->deadline = std::chrono::steady_clock::now() + options.statement_time;
  statement->lease = std::move(lease);
  statement->role = role;
  return statement;
}

class LeasedTransaction final : public Transaction {
 public:
  LeasedTransaction(std::shared_ptr<PoolCore> core, std::shared_ptr<Lease> lease)
      : core_(std::move(core)), lease_(std::move(lease)) {}
  ~LeasedTransaction() override {
    if (!ended_) core_->finish(lease_, "rollback");
  }
  LeasedTransaction(const LeasedTransaction&) = delete;
  LeasedTransaction& operator=(const LeasedTransaction&) = delete;

  async::Task<Outcome<Result>> query(std::string sql, Parameters parameters) override {
    if (ended_) throw std::logic_error("a statement in a transaction that has ended");
    return PoolCore::run(core_, make_statement(core_->options(), std::move(sql), std::move(parameters), lease_));
  }
  async::Task<Outcome<void>> commit() override { return end("commit"); }
  async::Task<Outcome<void>> rollback() override { return end("rollback"); }

 private:
  async::Task<Outcome<void>> end(std::string sql) {
    if (std::exchange(ended_, true)) throw std::logic_error("a transaction was ended twice");
    auto statement = make_statement(core_->options(), std::move(sql), {}, lease_, Statement::Role::ends);
    statement->counted = false;  // a full queue must not keep a transaction open
    auto outcome = co_await PoolCore::run(core_, std::move(statement));
    if (!outcome) co_return std::unexpected(std::move(outcome.error()));
    co_return Outcome<void>();
  }

  std::shared_ptr<PoolCore> core_;
  std::shared_ptr<Lease> lease_;
  bool ended_ = false;
};

async::Task<Outcome<std::unique_ptr<Transaction>>> begin_transaction(std::shared_ptr<PoolCore> core) {
  auto lease = std::make_shared<Lease>();
  lease->time = core->options().transaction_time;
  auto statement = make_statement(core->options(), "begin", {}, lease, Statement::Role::begins);
  auto outcome = co_await PoolCore::run(core, std::move(statement));
  if (!outcome) co_return std::unexpected(std::move(outcome.error()));
  co_return std::make_unique<LeasedTransaction>(core, lease);
}

async::Task<Expected<void>> ask(std::shared_ptr<PoolCore> core) {
  auto outcome = co_await PoolCore::run(core, make_statement(core->options(), "select 1", {}));
  if (!outcome) co_return std::unexpected(outcome.error().error);
  co_return Expected<void>();
}

}  // namespace

Pool::Pool(async::Executor executor, PoolOptions options)
    : core_(std::make_shared<PoolCore>(executor, std::move(options))) {
  core_->start();
}

Pool::~Pool() {
  core_->stop();
}

async::Task<Outcome<Result>> Pool::query(std::string sql, Parameters parameters) {
  return PoolCore::run(core_, make_statement(core_->options(), std::move(sql), std::move(parameters)));
}

async::Task<Outcome<std::unique_ptr<Transaction>>> Pool::begin() {
  return begin_transaction(core_);
}

async::Task<Expected<void>> Pool::ping() {
  return ask(core_);
}

async::Task<> Pool::close() {
  return PoolCore::close(core_);
}

}  // namespace cameleer::postgres
