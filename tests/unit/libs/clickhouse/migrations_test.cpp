#include "engine_session.hpp"

using namespace cameleer;
using namespace cameleer::clickhouse;
using async::Executor;
using async::Task;
using embedded::File;
using test::options_for;
using test::PrivateEngine;

namespace {

constexpr std::string_view kFirst =
    "-- the first\nCREATE TABLE IF NOT EXISTS a (x UInt8 DEFAULT 1) ENGINE = MergeTree ORDER BY x\n;\n"
    "CREATE TABLE IF NOT EXISTS b (y String DEFAULT ';') ENGINE = MergeTree ORDER BY y\n  ;  \n-- only words\n";
constexpr std::string_view kSecond = "ALTER TABLE a ADD COLUMN IF NOT EXISTS z String;\n";

Task<std::string> tables_of(Client& client, std::string database) {
  std::string names;
  Parameters parameters{Parameter::text("d", database)};
  const auto note = [&names](const Row& row) {
    names += std::string(row.text(0)) + " ";
    return true;
  };
  REQUIRE_WORKED(
      co_await client.select("SELECT table || '.' || name FROM system.columns WHERE database = {d:String} AND table != "
                             "'schema_migrations' ORDER BY 1",
                             std::move(parameters), note));
  co_return names;
}

}  // namespace

TEST_CASE("migrations make the database and run once each") {
  test::run([&](Executor executor) -> Task<> {
    const auto database = test::unique_database("migrated");
    Client client(executor, options_for(PrivateEngine::shared(), database));
    const std::vector<File> first{{"server/V0001__first.sql", kFirst}};
    const std::vector<File> both{{"V0002__second.sql", kSecond}, {"V0001__first.sql", kFirst}};
    auto done = co_await migrate(client, database, first);
    REQUIRE((done ? "" : done.error().message) == "");
    CHECK(co_await tables_of(client, database) == "a.x b.y ");
    for (int round = 0; round < 2; ++round) {
      done = co_await migrate(client, database, both);
      REQUIRE((done ? "" : done.error().message) == "");
      CHECK(co_await tables_of(client, database) == "a.x a.z b.y ");
    }
    std::vector<std::string> noted;
    REQUIRE_WORKED(co_await client.select(
        "SELECT name || ' ' || toString(length(checksum)) FROM schema_migrations ORDER BY version", {},
        [&](const Row& row) {
          noted.emplace_back(row.text(0));
          return true;
        }));
    CHECK(noted == std::vector<std::string>{"V0001__first.sql 64", "V0002__second.sql 64"});

    const std::vector<File> changed{{"V0001__first.sql", kSecond}, {"V0002__second.sql", kSecond}};
    done = co_await migrate(client, database, changed);
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().code == ErrorCode::bad_configuration);
    CHECK(done.error().message.find("V0001__first.sql") != std::string::npos);
    done = co_await migrate(client, database, first);  // an older program
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().code == ErrorCode::bad_configuration);
  });
}

TEST_CASE("a migration that stopped half-way is finished by the next start") {
  test::run([&](Executor executor) -> Task<> {
    const auto database = test::unique_database("half");
    Client client(executor, options_for(PrivateEngine::shared(), database));
    const std::string broken = std::string(kFirst) + ";\nCREATE TABEL c\n";
    const std::vector<File> files{{"V0001__first.sql", broken}};
    auto done = co_await migrate(client, database, files);
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().message.find("V0001__first.sql") != std::string::npos);
    CHECK_THAT(done.error().message, Catch::Contains("Code: 62"));
    const std::vector<File> repaired{{"V0001__first.sql", kFirst}};
    done = co_await migrate(client, database, repaired);
    CHECK(done.has_value());
    CHECK(co_await tables_of(client, database) == "a.x b.y ");
  });
}

TEST_CASE("processes that start at once do each other no harm") {
  test::run([&](Executor executor) -> Task<> {
    const auto database = test::unique_database("together");
    Client client(executor, options_for(PrivateEngine::shared(), database));
    const std::vector<File> both{{"V0001__first.sql", kFirst}, {"V0002__second.sql", kSecond}};
    int done = 0;
    int failed = 0;
    async::SteadyTimer all(executor, std::chrono::seconds(60));
    for (int i = 0; i < 4; ++i) {
      boost::asio::co_spawn(executor, migrate(client, database, both),
                            [&](std::exception_ptr, const Expected<void>& one) {
                              if (!one) ++failed;
                              if (++done == 4) all.cancel();
                            });
    }
    co_await all.async_wait(async::as_result);
    CHECK(done == 4);
    CHECK(failed == 0);
    CHECK(co_await tables_of(client, database) == "a.x a.z b.y ");
  });
}

TEST_CASE("files that are not a sequence of migrations are refused before anything runs") {
  const std::vector<std::vector<File>> cases{
      {{"first.sql", kFirst}},
      {{"V1_first.sql", kFirst}},
      {{"V0000__first.sql", kFirst}},
      {{"V0001__first.txt", kFirst}},
      {{"V0001__first.sql", kFirst}, {"V001__again.sql", kFirst}},
      {{"V0001__first.sql", kFirst}, {"V0003__third.sql", kFirst}},
      {{"V0002__second.sql", kFirst}},
  };
  test::run([&](Executor executor) -> Task<> {
    Options options;
    options.url = "http://127.0.0.1:1";
    Client client(executor, options);
    for (const auto& files : cases) {
      CAPTURE(files.back().name);
      const auto done = co_await migrate(client, "x", files);
      REQUIRE_FALSE(done.has_value());
      CHECK(done.error().code == ErrorCode::bad_configuration);
    }
  });
}
