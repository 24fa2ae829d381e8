#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "engine_fixture.hpp"

using namespace cameleer;
using namespace cameleer::engines;
using namespace cameleer::engines::test;

TEST_CASE("the embedded PostgreSQL starts, keeps its data, and lets in its one role alone") {
  const TempDirectory directory;
  Loop loop;
  EmbeddedPostgres postgres(loop.executor(), postgres_options(directory));
  const auto first = loop.run(postgres.start());
  REQUIRE((first ? "" : first.error().message) == "");
  CHECK(ask_postgres(*first, "SELECT current_user || ' ' || current_database()") == "cameleer cameleer");
  CHECK(ask_postgres(*first, "SELECT rolsuper::text FROM pg_roles WHERE rolname = current_user") == "false");
  CHECK(ask_postgres(*first, "SHOW data_checksums") == "on");
  CHECK(ask_postgres(*first, "SHOW listen_addresses").empty());
  ask_postgres(*first, "CREATE TABLE t AS SELECT 42 AS x");

  struct stat info{};
  for (const std::string path : {"postgres", "postgres/cluster", "postgres/run"}) {
    REQUIRE(stat(directory.path(path).c_str(), &info) == 0);
    CHECK((info.st_mode & 07777U) == 0700U);
  }
  REQUIRE(stat(directory.path("postgres/password").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777U) == 0600U);

  {
    INFO("a second start on the directory is refused by name while the first runs");
    auto options = postgres_options(directory);
    options.lock_wait = std::chrono::milliseconds(100);
    EmbeddedPostgres second(loop.executor(), options);
    const auto refused = loop.run(second.start());
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::unavailable);
    CHECK(refused.error().message.find(directory.path("postgres")) != std::string::npos);
    CHECK(refused.error().message.find("in use") != std::string::npos);
    CHECK(ask_postgres(*first, "SELECT x FROM t") == "42");
  }

  {
    INFO("killed, it comes back with another pid, the same conninfo and its data");
    const pid_t pid = postgres.status().pid;
    REQUIRE(kill(pid, SIGKILL) == 0);
    CHECK(loop.run_until([&] { return postgres.status().restarts == 1; }));
    CHECK(postgres.status().state == EngineState::running);
    CHECK(postgres.status().pid != pid);
    CHECK(postgres.status().last_reason.find("signal 9") != std::string::npos);
    CHECK(ask_postgres(*first, "SELECT x FROM t") == "42");
  }

  {
    INFO("a stale postmaster.pid that names a living foreign process does not block the next start");
    loop.run(postgres.stop());
    CHECK(postgres.status().state == EngineState::stopped);
    std::ofstream(directory.path("postgres/cluster/postmaster.pid")) << getppid() << "\n/nowhere\n1\n5432\n\n\n\n\n";
    std::ofstream(directory.path("postgres/run/.s.PGSQL.5432.lock")) << getppid() << "\n";
    const auto again = loop.run(postgres.start());
    REQUIRE((again ? "" : again.error().message) == "");
    CHECK(*again == *first);
    CHECK(ask_postgres(*again, "SELECT x FROM t") == "42");
  }

  {
    INFO("a lost password is replaced");
    loop.run(postgres.stop());
    std::filesystem::remove(directory.path("postgres/password"));
    const auto again = loop.run(postgres.start());
    REQUIRE((again ? "" : again.error().message) == "");
    CHECK(*again != *first);
    CHECK(ask_postgres(*again, "SELECT x FROM t") == "42");
  }
  loop.run(postgres.stop());
}

TEST_CASE("a cluster whose making was interrupted is made anew, also under a long path") {
  const TempDirectory directory;
  Loop loop;
  auto options = postgres_options(directory);
  const std::string deep = directory.path(std::string(90, 'd'));
  REQUIRE(mkdir(deep.c_str(), 0711) == 0);
  options.data_dir = deep + "/postgres";
  EmbeddedPostgres postgres(loop.executor(), options);
  const auto started = loop.run(postgres.start());
  REQUIRE((started ? "" : started.error().message) == "");
  CHECK(started->find("host='/tmp/cameleer-") != std::string::npos);
  loop.run(postgres.stop());
  std::filesystem::rename(options.data_dir + "/cluster", options.data_dir + "/cluster.new");
  std::filesystem::remove(options.data_dir + "/cluster.new/global/pg_control");
  const auto again = loop.run(postgres.start());
  REQUIRE((again ? "" : again.error().message) == "");
  CHECK(ask_postgres(*again, "SELECT 1") == "1");
  loop.run(postgres.stop());
  const auto host = started->substr(6, started->find('\'', 6) - 6);
  std::filesystem::remove_all(host);
}

TEST_CASE("what is wrong with a directory or a program is one sentence with its name") {
  const TempDirectory directory;
  Loop loop;
  const auto refusal = [&](const PostgresOptions& options) {
    EmbeddedPostgres postgres(loop.executor(), options);
    const auto started = loop.run(postgres.start());
    REQUIRE_FALSE(started.has_value());
    CHECK(postgres.status().state != EngineState::running);
    return started.error().message;
  };
  SECTION("a relative path") {
    auto options = postgres_options(directory);
    options.data_dir = "relative/postgres";
    CHECK(refusal(options).find("absolute") != std::string::npos);
  }
  SECTION("no server programs") {
    auto options = postgres_options(directory);
    options.bin_dir = directory.path("nowhere");
    CHECK(refusal(options).find(directory.path("nowhere/initdb")) != std::string::npos);
  }
  SECTION("a file in place of the directory") {
    std::ofstream(directory.path("postgres")) << "x";
    const auto message = refusal(postgres_options(directory));
    CHECK(message.find(directory.path("postgres")) != std::string::npos);
  }
  SECTION("a missing parent") {
    auto options = postgres_options(directory);
    options.data_dir = directory.path("a/b/postgres");
    CHECK(refusal(options).find(directory.path("a")) != std::string::npos);
  }
  if (geteuid() == 0) {
    SECTION("a directory of another user's") {
      REQUIRE(mkdir(directory.path("postgres").c_str(), 0700) == 0);
      CHECK(refusal(postgres_options(directory)).find("belongs to user 0") != std::string::npos);
    }
    SECTION("a parent that the server's user cannot pass") {
      REQUIRE(chmod(directory.path().c_str(), 0700) == 0);
      CHECK(refusal(postgres_options(directory)).find("cannot pass the directory " + directory.path()) !=
            std::string::npos);
    }
    SECTION("an unknown user") {
      auto options = postgres_options(directory);
      options.run_as = "nobody-of-that-name";
      CHECK(refusal(options).find("nobody-of-that-name") != std::string::npos);
    }
  }
}
