#include <fmt/format.h>

#include <cameleer/postgres/migrations.hpp>

#include "identifier.hpp"
#include "migration_files.hpp"
#include "pool_core.hpp"

namespace cameleer::postgres {
namespace {

using namespace std::chrono_literals;

constexpr auto kFileTime = 600s;

/// A leased connection outside pipeline mode. Ended with this object, whatever state the files left it in: with it go
/// its locks, its settings and an open transaction.
class Session {
 public:
  explicit Session(std::shared_ptr<PoolCore> core) : core_(std::move(core)), lease_(std::make_shared<Lease>()) {}
  ~Session() { core_->discard(lease_); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  async::Task<Outcome<Result>> open(const std::string& schema) {
    auto outcome = co_await run(
        "select set_config('statement_timeout', '600s', false), set_config('lock_timeout', '60s', false),"
        " set_config('idle_in_transaction_session_timeout', '60s', false), set_config('search_path', $1, false)",
        {quoted(schema)}, core_->options().statement_time, Statement::Role::begins);
    if (outcome) lease_->connection->leave_pipeline();
    co_return outcome;
  }

  async::Task<Outcome<Result>> query(std::string sql, Parameters parameters = {}) {
    return run(std::move(sql), std::move(parameters), kFileTime + 5s, Statement::Role::single);
  }

  [[nodiscard]] bool in_transaction() const { return lease_->connection->in_transaction(); }

 private:
  async::Task<Outcome<Result>> run(std::string sql, Parameters parameters, std::chrono::milliseconds time,
                                   Statement::Role role) {
    auto statement = std::make_unique<Statement>();
    statement->sql = std::move(sql);
    statement->parameters = std::move(parameters);
    statement->deadline = std::chrono::steady_clock::now() + time;
    statement->role = role;
    statement->lease = lease_;
    return PoolCore::run(core_, std::move(statement));
  }

  std::shared_ptr<PoolCore> core_;
  std::shared_ptr<Lease> lease_;
};

std::unexpected<Error> failed(const std::string& what, const DatabaseError& error) {
  auto code = error.error.code;
  // Only what can pass by itself keeps its code; the rest is the file's or the database's fault.
  if (code != ErrorCode::unavailable && code != ErrorCode::upstream_timeout && code != ErrorCode::overloaded) {
    code = ErrorCode::bad_configuration;
  }
  return fail(code, fmt::format("{} failed: {} (SQLSTATE {}).", what, error.server_text, error.sqlstate));
}

/// Under the lock: the schema and the table of what has been applied.
async::Task<Expected<void>> prepare(Session& session, const std::string& schema) {
  auto lock =
      co_await session.query("select pg_advisory_lock(hashtextextended('cameleer.migrations/' || $1, 0))", {schema});
  if (!lock) co_return failed("Waiting for another process that migrates", lock.error());
  auto there = co_await session.query("select 1 from pg_namespace where nspname = $1", {schema});
  if (!there) co_return failed("Looking for the schema", there.error());
  // Not IF NOT EXISTS alone: that needs the right to create schemas also when there is nothing to create.
  if (there->rows() == 0) {
    auto created = co_await session.query("create schema " + quoted(schema));
    if (!created) co_return failed("Creating the schema", created.error());
  }
  auto table = co_await session.query(
      fmt::format("create table if not exists {}.schema_migrations (version int primary key, name text not null,"
                  " checksum text not null, applied_at timestamptz not null default now())",
                  quoted(schema)));
  if (!table) co_return failed("Creating schema_migrations", table.error());
  co_return Expected<void>();
}

/// How many of the files have been applied, unchanged.
async::Task<Expected<std::size_t>> applied(Session& session, const std::vector<MigrationFile>& files) {
  auto rows = co_await session.query("select version, name, checksum from schema_migrations order by version");
  if (!rows) co_return failed("Reading schema_migrations", rows.error());
  if (rows->rows() > files.size()) {
    co_return fail(ErrorCode::bad_configuration,
                   fmt::format("The database is at version {}, which is newer than this program's {}.",
                               rows->text(rows->rows() - 1, 0), files.size()));
  }
  for (std::size_t row = 0; row < rows->rows(); ++row) {
    if (rows->integer(row, 0) != files[row].version) {
      co_return fail(ErrorCode::bad_configuration, fmt::format("schema_migrations lacks version {}.", row + 1));
    }
    if (rows->text(row, 1) != files[row].name || rows->text(row, 2) != files[row].checksum) {
      co_return fail(ErrorCode::bad_configuration,
                     fmt::format("{} is not what was applied as {}.", files[row].name, rows->text(row, 1)));
    }
  }
  co_return rows->rows();
}

async::Task<Expected<void>> apply(Session& session, const MigrationFile& file) {
  auto begun = co_await session.query("begin");
  if (!begun) co_return failed(file.name, begun.error());
  auto done = co_await session.query(file.sql);
  if (!done) co_return failed(file.name, done.error());
  if (!session.in_transaction()) {
    co_return fail(ErrorCode::bad_configuration, file.name + " ended its transaction itself.");
  }
  auto noted = co_await session.query("insert into schema_migrations (version, name, checksum) values ($1, $2, $3)",
                                      {file.version, file.name, file.checksum});
  if (!noted) co_return failed(file.name, noted.error());
  auto committed = co_await session.query("commit");
  if (!committed) co_return failed(file.name, committed.error());
  co_return Expected<void>();
}

async::Task<Expected<void>> migrate_on(std::shared_ptr<PoolCore> core, std::string schema,
                                       Expected<std::vector<MigrationFile>> files) {
  if (!files) co_return std::unexpected(files.error());
  Session session(core);
  auto opened = co_await session.open(schema);
  if (!opened) co_return failed("Connecting", opened.error());
  auto prepared = co_await prepare(session, schema);
  if (!prepared) co_return prepared;
  auto count = co_await applied(session, *files);
  if (!count) co_return std::unexpected(count.error());
  for (std::size_t index = *count; index < files->size(); ++index) {
    auto one = co_await apply(session, (*files)[index]);
    if (!one) co_return one;
  }
  co_return Expected<void>();
}

}  // namespace

async::Task<Expected<void>> migrate(Pool& pool, std::string schema, std::span<const embedded::File> files) {
  return migrate_on(pool.core_, std::move(schema), read_migration_files(files));
}

}  // namespace cameleer::postgres
