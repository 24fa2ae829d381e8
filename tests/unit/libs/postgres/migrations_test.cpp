#include <cameleer/postgres/migrations.hpp>
#include <catch2/catch.hpp>

#include "on_loop.hpp"

using namespace cameleer;
using namespace cameleer::postgres;
using test::PoolOnLoop;
using test::PrivateCluster;
using Files = std::vector<embedded::File>;

namespace {

const Files kTwo{{"V0002__seed.sql", "insert into camels values (1, 'Ahmed'); insert into camels values (2, 'Bela;')"},
                 {"V0001__camels.sql", "create table camels (id int primary key, name text);\n-- a remark; with ;\n"}};

/// A schema that no test has used, and a pool on it.
struct Fresh : PoolOnLoop {
  Fresh() { query("drop schema " + quoted_schema()); }
  Expected<void> migrate(const Files& files) { return test::finish(io, postgres::migrate(*pool, schema, files)); }
};

std::string message(const Expected<void>& outcome) {
  return outcome ? "success" : outcome.error().message;
}

async::Task<> migrate_and_count(Pool& pool, std::string schema, const Files& files, int& succeeded, int& ended) {
  auto outcome = co_await migrate(pool, schema, files);
  UNSCOPED_INFO(message(outcome));
  if (outcome) ++succeeded;
  ++ended;
}

}  // namespace

TEST_CASE("migrations make the schema, run once in order, and note themselves") {
  Fresh db;
  REQUIRE(message(db.migrate(kTwo)) == "success");
  CHECK(db.cell("select string_agg(name, ',' order by id) from camels") == "Ahmed,Bela;");
  CHECK(db.cell("select string_agg(version || name, ' ' order by version) from schema_migrations") ==
        "1V0001__camels.sql 2V0002__seed.sql");
  CHECK(db.cell("select checksum from schema_migrations where version = 2") ==
        PrivateCluster::shared().execute("select encode(sha256('insert into camels values (1, ''Ahmed''); "
                                         "insert into camels values (2, ''Bela;'')'), 'hex')"));
  REQUIRE(message(db.migrate(kTwo)) == "success");
  CHECK(db.cell("select count(*) from camels") == "2");
  Files three = kTwo;
  three.push_back({"V0003__more.sql", "alter table camels add column age int"});
  REQUIRE(message(db.migrate(three)) == "success");
  CHECK(db.cell("select count(*) from schema_migrations") == "3");
}

TEST_CASE("files that do not fit the database or each other are refused by name") {
  struct Row {
    Files files;
    std::string part_of_message;
  };
  const Row rows[] = {
      {{kTwo[1], {"V0002__seed.sql", "select 'changed'"}}, "V0002__seed.sql is not what was applied"},
      {{kTwo[1], {"V0002__other.sql", kTwo[0].content}}, "V0002__other.sql is not what was applied as V0002__seed.sql"},
      {{kTwo[1]}, "newer than this program"},
      {{kTwo[0], kTwo[1], {"V0004__gap.sql", "select 1"}}, "no version 3 before V0004__gap.sql"},
      {{kTwo[0], kTwo[1], {"V0002__twice.sql", "select 1"}}, "have one version"},
      {{kTwo[0], kTwo[1], {"V3__short.sql", "select 1"}}, "V3__short.sql is not named"},
      {{kTwo[0], kTwo[1], {"V0000__none.sql", "select 1"}}, "V0000__none.sql is not named"},
      {{kTwo[0], kTwo[1], {"readme.txt", "select 1"}}, "readme.txt is not named"},
  };
  Fresh db;
  REQUIRE(message(db.migrate(kTwo)) == "success");
  for (const auto& row : rows) {
    auto outcome = db.migrate(row.files);
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == ErrorCode::bad_configuration);
    CHECK_THAT(outcome.error().message, Catch::Contains(row.part_of_message));
  }
  CHECK(db.cell("select count(*) from schema_migrations") == "2");
}

TEST_CASE("a migration that fails leaves nothing of itself, and the ones before it stay") {
  struct Row {
    std::string sql;
    std::string part_of_message;
  };
  const Row rows[] = {
      {"create table half (id int); select nonsense;", "nonsense"},
      {"create table half (id int); insert into half values (1); insert into half values ('x')", "22P02"},
      {"create table half (id int); commit;", "ended its transaction itself"},
      {"create table half (id int); copy half from stdin", "COPY"},
  };
  for (const auto& row : rows) {
    INFO(row.sql);
    Fresh db;
    Files files = kTwo;
    files.push_back({"V0003__half.sql", row.sql});
    auto outcome = db.migrate(files);
    REQUIRE_FALSE(outcome);
    CHECK_THAT(outcome.error().message, Catch::Contains(row.part_of_message) && Catch::Contains("V0003__half.sql"));
    CHECK(db.cell("select count(*) from camels") == "2");
    CHECK(db.cell("select max(version) from schema_migrations") == "2");
    if (row.sql.find("commit") == std::string::npos) CHECK(db.sqlstate("select * from half") == "42P01");
    // The lock and the connection are free again: the repaired file runs.
    db.query("drop table if exists half");
    files.back() = {"V0003__half.sql", "create table half (id int)"};
    CHECK(message(db.migrate(files)) == "success");
  }
}

TEST_CASE("processes that migrate one schema at once take turns") {
  Fresh db;
  Files files = kTwo;
  // Would fail when two ran it at once, and takes long enough for them to meet.
  files.push_back({"V0003__slow.sql", "create table slow (id int); select pg_sleep(0.2); insert into slow values (1)"});
  PoolOptions options;
  options.conninfo = PrivateCluster::shared().conninfo();
  std::vector<std::unique_ptr<Pool>> others;
  int succeeded = 0;
  int ended = 0;
  for (int number = 0; number < 4; ++number) {
    others.push_back(std::make_unique<Pool>(db.io.get_executor(), options));
    boost::asio::co_spawn(db.io, migrate_and_count(*others.back(), db.schema, files, succeeded, ended),
                          boost::asio::detached);
  }
  auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  db.io.restart();
  while (ended < 4 && std::chrono::steady_clock::now() < limit) db.io.run_one_for(std::chrono::seconds(1));
  CHECK(succeeded == 4);
  CHECK(db.cell("select count(*) from slow") == "1");
  for (auto& other : others) test::finish(db.io, other->close());
}
